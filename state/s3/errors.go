package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/minio/minio-go/v7"

	"kplan.dev/kplan/state/remote"
)

// answer is what the server answered instead of what was asked for, if it did answer.
func answer(err error) (minio.ErrorResponse, bool) {
	var response minio.ErrorResponse
	return response, errors.As(err, &response)
}

func codeOf(err error) string {
	response, _ := answer(err)
	return response.Code
}

// swapError tells what became of a conditional write.
func (p *Place) swapError(err error) error {
	response, answered := answer(err)
	switch {
	case errors.Is(err, errNoCredentials):
		return err
	case !answered: // it may have been carried out
		return fmt.Errorf("%w: %w", remote.ErrUnanswered, err)
	case response.StatusCode == http.StatusPreconditionFailed, response.Code == minio.NoSuchKey:
		return remote.ErrChanged
	case response.Code == "ConditionalRequestConflict", response.Code == "OperationAborted":
		// It lost against a request at the same time, which need not have changed anything: the server asks to try again.
		return fmt.Errorf("%w: %w", remote.ErrUnanswered, p.explain(err))
	case isBusy(response):
		return fmt.Errorf("%w: %w", remote.ErrUnanswered, p.explain(err))
	case response.Code == minio.AccessDenied:
		return fmt.Errorf("%w: %w", remote.ErrReadOnly, p.explain(err))
	case response.StatusCode == http.StatusNotImplemented:
		return fmt.Errorf("the server can't write under conditions, so two runs could hold the lock of %s at once: use a server that "+
			"can, or another backend: %w", p, p.explain(err))
	}
	return p.explain(err)
}

// isBusy reports whether the server could not tell what becomes of a request.
func isBusy(response minio.ErrorResponse) bool {
	switch response.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented:
		return false
	}
	return response.StatusCode >= 500
}

// explain adds to an answer of the server what to do.
func (p *Place) explain(err error) error {
	response, answered := answer(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the server does not answer: %w", err)
	case err == nil, errors.Is(err, errNoCredentials):
		return err
	case !answered:
		return fmt.Errorf("there was no answer: %w", err)
	case response.StatusCode == 0 || response.StatusCode == http.StatusOK: // of which the library could make nothing
		return fmt.Errorf("what answers is no server of S3, but a login, a proxy or another server: check the backend's endpoint (%s)",
			response.Message)
	}
	err = fmt.Errorf("%w (%s)", err, response.Code)
	switch response.Code {
	case minio.NoSuchBucket:
		return fmt.Errorf("the bucket %s of the backend does not exist; create it first", p.bucket)
	case minio.AccessDenied:
		return fmt.Errorf("%w. The backend needs the rights s3:ListBucket on the bucket %s, and s3:GetObject, s3:PutObject and "+
			"s3:DeleteObject on its objects %s and %s.*", err, p.bucket, p.key, p.key)
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken":
		return fmt.Errorf("the server does not accept the credentials: %w", err)
	case "RequestTimeTooSkewed":
		return fmt.Errorf("the clock of this machine is not that of the server, which accepts no credentials then: set it (%w)", err)
	case "InvalidObjectState":
		return fmt.Errorf("%w. The object was archived: restore it, and let no lifecycle rule archive what is below %s", err, p.key)
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", minio.InvalidRegion:
		if response.Region != "" {
			return fmt.Errorf("%w. The bucket %s is in the region %s: set the backend's region", err, p.bucket, response.Region)
		}
	}
	return err
}
