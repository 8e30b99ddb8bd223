package s3

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"gopkg.in/ini.v1"
)

// errNoCredentials is the error of every request where there are none. Nothing is sent.
var errNoCredentials = errors.New("no credentials for the bucket were found")

// credentials are looked for where AWS's tools look: in the settings, or else in the environment, in the shared files
// and in the roles of the container or machine, in that order. A profile that the settings name is all there is.
func (s Settings) credentials() *credentials.Credentials {
	switch {
	case s.AccessKey != "" || s.SecretKey != "":
		return credentials.NewStaticV4(s.AccessKey, s.SecretKey, s.Token)
	case s.Profile != "":
		return credentials.New(&chain{providers: []credentials.Provider{newSharedFiles(s.Profile)}})
	}
	c := &chain{providers: []credentials.Provider{
		&credentials.EnvAWS{}, newSharedFiles(cmp.Or(os.Getenv("AWS_PROFILE"), "default")),
	}}
	hasRole := cmp.Or(os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE"), os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
		os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")) != ""
	if hasRole || !strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		c.providers = append(c.providers, &credentials.IAM{Client: &http.Client{Timeout: roleTime}})
	}
	return credentials.New(c)
}

// roleTime is how long to wait for the credentials of a role. On a desk nobody answers.
const roleTime = 5 * time.Second

// chain asks one provider after the other. Unlike that of the library it fails where none has credentials: a request
// without them is refused for a reason that helps nobody.
type chain struct {
	providers []credentials.Provider
	found     credentials.Provider
}

// Retrieve is what the library no longer calls.
func (c *chain) Retrieve() (credentials.Value, error) { return c.RetrieveWithCredContext(nil) }

// RetrieveWithCredContext returns the credentials of the first provider that has some.
func (c *chain) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	var problems []error
	for _, p := range c.providers {
		value, err := p.RetrieveWithCredContext(cc)
		if err == nil && value.AccessKeyID != "" && value.SecretAccessKey != "" {
			c.found = p
			return value, nil
		}
		if _, ok := p.(*credentials.IAM); ok && err != nil {
			err = fmt.Errorf("no role of this machine: %w", err)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, err)
		}
	}
	const advice = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the backend's profile"
	if len(problems) == 0 {
		return credentials.Value{}, fmt.Errorf("%w: %s", errNoCredentials, advice)
	}
	return credentials.Value{}, fmt.Errorf("%w: %w; %s", errNoCredentials, errors.Join(problems...), advice)
}

// IsExpired reports whether they must be retrieved again.
func (c *chain) IsExpired() bool { return c.found == nil || c.found.IsExpired() }

// sharedFiles reads a profile of AWS's shared files, in any form but one that runs a program.
type sharedFiles struct {
	credentials.FileAWSCredentials
}

func newSharedFiles(profile string) *sharedFiles {
	return &sharedFiles{credentials.FileAWSCredentials{Profile: profile}}
}

// Retrieve is what the library no longer calls.
func (f *sharedFiles) Retrieve() (credentials.Value, error) { return f.RetrieveWithCredContext(nil) }

// RetrieveWithCredContext looks into the files before the library does, which would run what they name.
func (f *sharedFiles) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	runs, err := f.runsProgram()
	if err != nil {
		return credentials.Value{}, err
	}
	if runs {
		return credentials.Value{}, fmt.Errorf("the profile %q gets its credentials from a program (credential_process), and kplan runs none; "+
			"export them first: aws configure export-credentials --profile %s --format env", f.Profile, f.Profile)
	}
	value, err := f.FileAWSCredentials.RetrieveWithCredContext(cc)
	if err == nil && value.AccessKeyID == "" {
		err = fmt.Errorf("the profile %q has no keys; kplan does not follow role_arn: export the credentials first: "+
			"aws configure export-credentials --profile %s --format env", f.Profile, f.Profile)
	}
	return value, err
}

// runsProgram reports whether the library might run a program for the profile: one is named in either file, and no keys
// in the one for credentials come before it.
func (f *sharedFiles) runsProgram() (bool, error) {
	const config, keys = 0, 1
	named := false
	for which, path := range []string{
		config: awsFile("AWS_CONFIG_FILE", "config"), keys: awsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
	} {
		file, err := ini.Load(path)
		var unreadable *fs.PathError
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.As(err, &unreadable):
			return false, err
		case err != nil: // whose text quotes the file
			return false, fmt.Errorf("the file %s has not the form of AWS's shared files", path)
		}
		named = named || namesProgram(file, f.Profile)
		of := file.Section(f.Profile)
		if which == keys && of.Key("aws_access_key_id").String() != "" && of.Key("aws_secret_access_key").String() != "" {
			return false, nil
		}
	}
	return named, nil
}

// namesProgram looks at the profile under both names that it can have, and at those that the library would inherit from:
// a section "a.b" has the keys of "a".
func namesProgram(file *ini.File, profile string) bool {
	for name := profile; ; {
		for _, section := range file.Sections() {
			called := strings.TrimSpace(strings.TrimPrefix(section.Name(), "profile "))
			if strings.EqualFold(called, name) && section.HasKey("credential_process") {
				return true
			}
		}
		i := strings.LastIndexByte(name, '.')
		if i < 0 {
			return false
		}
		name = name[:i]
	}
}

// awsFile is a shared file: that of the environment variable, or the one in the home directory.
func awsFile(variable, name string) string {
	if path := os.Getenv(variable); path != "" {
		return path
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".aws", name)
}
