// Package s3 keeps states in a bucket of S3, or of a server that speaks its protocol: of each stack the head as one
// object, which is replaced by conditional writes, and the parts as objects beside it.
//
// A run that applies needs s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on the
// objects of its state; one that reads, s3:ListBucket and s3:GetObject. Without s3:ListBucket the server does not
// tell an object that is missing from one that is not to be seen.
package s3

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/remote"
)

// Settings are where a state is, and who kplan is there. What is empty is looked up where AWS's tools look.
type Settings struct {
	Bucket, Key string
	// Region is by default that of AWS_REGION or AWS_DEFAULT_REGION.
	Region string
	// Endpoint is the URL of a server that is not Amazon's; by default that of AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL.
	Endpoint string
	// PathStyle is whether the bucket's name stands in the path of URLs, true, or in the host, false. By default it
	// is in the host at Amazon's.
	PathStyle *bool
	// Profile is one of AWS's shared files.
	Profile string
	// AccessKey and what follows are credentials; Token is that of temporary ones.
	AccessKey, SecretKey, Token string
}

const (
	// partTime is how long it may take to store or read a part, and headTime a head.
	partTime = 5 * time.Minute
	headTime = 20 * time.Second
	// tries are how often requests are sent that may be carried out twice.
	tries = 5
	// maxPart is a size that goes in one request.
	maxPart = 16 << 20
)

// Place is a remote.Place in a bucket.
type Place struct {
	bucket, key string
	client      minio.Core // asks again where no answer comes
	once        minio.Core // does not: a swap that was carried out would be refused the second time

	mu    sync.Mutex
	heeds heeds
}

// At is where the state of that key is kept. Nothing is asked yet.
func At(s Settings) (*Place, error) {
	host, secure, err := s.server()
	if err != nil {
		return nil, err
	}
	options := minio.Options{
		Creds: s.credentials(), Secure: secure, Region: cmp.Or(s.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")),
		MaxRetries: tries,
	}
	switch {
	case options.Region == "" && host == amazon:
		return nil, errors.New("the region of the bucket is not known: set the backend's region, or AWS_REGION")
	case options.Region == "":
		options.Region = "us-east-1" // which other servers expect
	}
	if s.PathStyle != nil && *s.PathStyle {
		options.BucketLookup = minio.BucketLookupPath
	} else if s.PathStyle != nil {
		options.BucketLookup = minio.BucketLookupDNS
	}
	if options.Transport, err = minio.DefaultTransport(secure); err != nil {
		return nil, err
	}
	p := &Place{bucket: s.Bucket, key: s.Key}
	for _, to := range []*minio.Core{&p.client, &p.once} {
		given := options // New changes them
		if to.Client, err = minio.New(host, &given); err != nil {
			return nil, fmt.Errorf("the endpoint of the backend: %w", err)
		}
		to.SetS3EnableDualstack(false) // firewalls know the plain hosts, which AWS's tools use
		options.MaxRetries = 1
	}
	return p, nil
}

// amazon is the host that stands for that of the region.
const amazon = "s3.amazonaws.com"

// server is the host of the endpoint. What is wrong with an endpoint is said without it: it may have a password.
func (s Settings) server() (host string, secure bool, err error) {
	endpoint := cmp.Or(s.Endpoint, os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"))
	if endpoint == "" {
		return amazon, true, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" ||
		u.RawQuery != "" {
		return "", false, errors.New("the endpoint of the backend is no URL of a server: it has a scheme, a host and a port at most, " +
			"such as https://s3.example.com:9000")
	}
	return u.Host, u.Scheme == "https", nil
}

// String is the head's address: "s3://states/shop.json".
func (p *Place) String() string { return "s3://" + p.bucket + "/" + p.key }

// MaxPart is what is stored in one request.
func (*Place) MaxPart() int { return maxPart }

// Head reads the head's object, whose version is its ETag.
func (p *Place) Head(ctx context.Context) ([]byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, headTime)
	defer cancel()
	text, tag, err := p.read(ctx, p.key)
	if err == nil && tag == "" {
		return nil, "", errors.New("the server sends no ETag with it, by which kplan would know its version")
	}
	return text, tag, err
}

// Swap writes the head's object under the condition that it has that ETag, or that there is none.
func (p *Place) Swap(ctx context.Context, head []byte, version string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, headTime)
	defer cancel()
	if err := p.checkHeeds(ctx, version == ""); err != nil {
		return "", err
	}
	return p.putIf(ctx, p.key, head, version)
}

// putIf writes an object that has the ETag, "" for none.
func (p *Place) putIf(ctx context.Context, key string, text []byte, version string) (string, error) {
	options := minio.PutObjectOptions{ContentType: "application/json"}
	if version == "" {
		options.SetMatchETagExcept("*")
	} else {
		options.SetMatchETag(version)
	}
	tag, err := p.write(ctx, p.once, key, text, options)
	if err != nil {
		return "", p.swapError(err)
	}
	return tag, nil
}

// write writes an object in one request, with its digests: that of MD5 is asked for by buckets with locks on their objects.
func (p *Place) write(
	ctx context.Context, client minio.Core, key string, text []byte, options minio.PutObjectOptions,
) (tag string, err error) {
	sum, sha := md5.Sum(text), sha256.Sum256(text)
	options.DisableContentSha256 = true // in chunks: the digest of the whole is signed
	info, err := client.PutObject(ctx, p.bucket, key, bytes.NewReader(text), int64(len(text)),
		base64.StdEncoding.EncodeToString(sum[:]), hex.EncodeToString(sha[:]), options)
	return info.ETag, err
}

// Put writes a part's object.
func (p *Place) Put(ctx context.Context, name string, part []byte) error {
	ctx, cancel := context.WithTimeout(ctx, partTime)
	defer cancel()
	_, err := p.write(ctx, p.client, p.partKey(name), part, minio.PutObjectOptions{ContentType: "application/gzip"})
	return p.explain(err)
}

// Get reads a part's object.
func (p *Place) Get(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, partTime)
	defer cancel()
	part, _, err := p.read(ctx, p.partKey(name))
	return part, err
}

func (p *Place) read(ctx context.Context, key string) (text []byte, tag string, err error) {
	body, info, _, err := p.client.GetObject(ctx, p.bucket, key, minio.GetObjectOptions{})
	if codeOf(err) == minio.NoSuchKey {
		return nil, "", state.ErrNotExist
	}
	if err != nil {
		return nil, "", p.explain(err)
	}
	defer body.Close()
	text, err = io.ReadAll(io.LimitReader(body, state.MaxSize))
	return text, info.ETag, err
}

// List lists the parts' objects.
func (p *Place) List(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, partTime)
	defer cancel()
	var names []string
	for object := range p.client.Client.ListObjects(ctx, p.bucket, minio.ListObjectsOptions{Prefix: p.partKey(""), Recursive: true}) {
		if object.Err != nil {
			return nil, p.explain(object.Err)
		}
		names = append(names, strings.TrimPrefix(object.Key, p.partKey("")))
	}
	return names, nil
}

// Delete deletes a part's object.
func (p *Place) Delete(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, headTime)
	defer cancel()
	err := p.client.RemoveObject(ctx, p.bucket, p.partKey(name), minio.RemoveObjectOptions{})
	if codeOf(err) == minio.NoSuchKey {
		return nil
	}
	return p.explain(err)
}

// partKey is not below the head's key as a directory is: some servers keep objects in files.
func (p *Place) partKey(name string) string { return p.key + ".parts/" + name }

var _ remote.Place = (*Place)(nil)
