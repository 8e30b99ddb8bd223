package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"kplan.dev/kplan/internal/words"
)

var (
	errManyTags      = errors.New("the registry lists more tags than a module can have")
	errOtherManifest = errors.New("the registry sent a manifest with another digest than the one that was asked for")
	errOtherLayer    = errors.New("the registry sent a layer with another digest than the manifest has for it")
	errHugeManifest  = fmt.Errorf("the manifest has more than %d MiB", maxManifest>>20)
	errGarbage       = errors.New("the registry's answer is no manifest")
	errNoRegistry    = errors.New("the server's answer is not that of an OCI registry")
	errOtherSize     = errors.New("the registry sent something of another size than the manifest has for it")
	errRedirects     = errors.New("the registry redirects more than five times")
	errDowngrade     = errors.New("the registry redirects from https to http, where anybody could change what is sent")
)

// NoTagError is the error of a tag, or repository, that is not there.
type NoTagError struct{}

func (e *NoTagError) Error() string {
	return "the registry has no such module, or these credentials may not read it"
}

// explain is an error of a request, for people: what is wrong, and what to do.
func explain(ctx context.Context, err error) error {
	var (
		answer *errcode.ErrorResponse
		failed *url.Error
	)
	switch {
	case err == nil:
		return nil
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case errors.As(err, &answer):
		return refusal(answer)
	case errors.Is(err, errdef.ErrNotFound):
		return &NoTagError{}
	case errors.Is(err, errdef.ErrSizeExceedsLimit):
		return errHugeManifest
	case errors.Is(err, content.ErrMismatchedDigest), errors.Is(err, content.ErrTrailingData):
		return errOtherManifest
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the registry's answer ends in the middle")
	case errors.As(err, &failed): // without the address, which may have a token in it
		return clean(failed.Err)
	}
	return meaning(err)
}

// meaning is an error of oras that has no type.
func meaning(err error) error {
	text := err.Error()
	switch {
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return errors.New(wantsCredentials)
	case strings.Contains(text, "failed to decode response"), strings.Contains(text, "missing required header"),
		strings.Contains(text, "invalid response"), strings.Contains(text, "Content-Type"):
		return errNoRegistry
	case strings.Contains(text, "mismatch Content-Length"):
		return errOtherSize
	}
	return clean(err)
}

const wantsCredentials = "the registry wants credentials, or does not accept those that it got. Log in with docker login or oras login"

// refusal is what the status of an answer means.
func refusal(answer *errcode.ErrorResponse) error {
	said := ""
	if len(answer.Errors) > 0 && answer.Errors[0].Message != "" {
		said = fmt.Sprintf(" (the registry says: %s)", printable(answer.Errors[0].Message))
	}
	switch answer.StatusCode {
	case http.StatusUnauthorized:
		return errors.New(wantsCredentials + said)
	case http.StatusForbidden:
		return fmt.Errorf("the registry forbids it to this account%s", said)
	case http.StatusNotFound:
		return &NoTagError{}
	case http.StatusTooManyRequests:
		return fmt.Errorf("the registry gets too many requests, also after kplan waited. Wait a while, or log in if it was asked "+
			"without an account%s", said)
	}
	if answer.StatusCode >= 500 {
		return fmt.Errorf("the registry has a problem of its own: it answers %d%s", answer.StatusCode, said)
	}
	return fmt.Errorf("the registry answers %d%s", answer.StatusCode, said)
}

// request is what oras puts before an error: the method and the address.
var request = regexp.MustCompile(`^[A-Z]+ "[^"]*": `)

func clean(err error) error { return errors.New(printable(request.ReplaceAllString(err.Error(), ""))) }

// printable is a text from elsewhere as part of a sentence.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	return words.Shorten(strings.TrimRight(text, ". "), 300)
}

// article is a media type in a sentence.
func article(mediaType string) string {
	if mediaType == "" {
		return "something without a type"
	}
	return "something of the type " + printable(mediaType)
}
