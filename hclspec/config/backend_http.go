package config

import (
	"net/url"
	"regexp"
	"time"
)

// HTTPBackend is a state at a server of the protocol of Terraform's http backend. Its arguments have their names there.
type HTTPBackend struct {
	Address, LockAddress, UnlockAddress    string
	UpdateMethod, LockMethod, UnlockMethod string
	Username, Password                     string
	SkipCertVerification                   bool
	ClientCACertificatePEM                 string
	ClientCertificatePEM                   string
	ClientPrivateKeyPEM                    string
	RetryMax                               int
	RetryWaitMin, RetryWaitMax             time.Duration
}

var httpBackend = backendType{
	// Terraform can do without a lock. Here it is all that keeps two runs apart.
	required: []string{"address", "lock_address"},
	optional: []string{"unlock_address", "update_method", "lock_method", "unlock_method", "username", "password",
		"skip_cert_verification", "client_ca_certificate_pem", "client_certificate_pem", "client_private_key_pem",
		"retry_max", "retry_wait_min", "retry_wait_max"},
	secret:   []string{"password", "client_private_key_pem"},
	place:    []string{"address"},
	hints:    map[string]string{"headers": "Credentials are username and password; a token is a password."},
	evaluate: (*Backend).http,
}

func (b *Backend) http(e *settingsEval) {
	h := &b.HTTP
	h.UpdateMethod, h.LockMethod, h.UnlockMethod = "POST", "LOCK", "UNLOCK"
	b.address(e, "address", &h.Address)
	b.address(e, "lock_address", &h.LockAddress)
	h.UnlockAddress = h.LockAddress
	b.address(e, "unlock_address", &h.UnlockAddress)
	e.method("update_method", &h.UpdateMethod)
	e.method("lock_method", &h.LockMethod)
	e.method("unlock_method", &h.UnlockMethod)
	e.set("username", &h.Username)
	e.set("password", &h.Password)
	e.set("skip_cert_verification", &h.SkipCertVerification)
	e.set("client_ca_certificate_pem", &h.ClientCACertificatePEM)
	e.set("client_certificate_pem", &h.ClientCertificatePEM)
	e.set("client_private_key_pem", &h.ClientPrivateKeyPEM)
	h.RetryMax = e.count("retry_max", 2, 100)
	h.RetryWaitMin = time.Duration(e.count("retry_wait_min", 1, 3600)) * time.Second
	h.RetryWaitMax = time.Duration(e.count("retry_wait_max", 30, 3600)) * time.Second
	t := together{attrs: e.present}
	t.needs("client_certificate_pem", "client_private_key_pem")
	t.needs("client_private_key_pem", "client_certificate_pem")
	t.conflict("skip_cert_verification", "client_ca_certificate_pem", "the first turns off the check that the other one is for")
	e.diags = append(e.diags, t.diags...)
}

// namesSecret is what a part of a URL's query has in its name whose value is a credential.
var namesSecret = regexp.MustCompile(`(?i)token|secret|passw|key|credential`)

// address is known for a URL. What is wrong with it is said without it: it may have a password in it.
func (b *Backend) address(e *settingsEval, name string, target *string) {
	if !e.known(name, target) {
		return
	}
	u, err := url.Parse(*target)
	switch {
	case err != nil:
		e.invalid(name, "%s is not a valid URL.", name)
		return
	case u.Scheme != "http" && u.Scheme != "https":
		e.invalid(name, "%s must begin with https:// or http://.", name)
	case u.Host == "":
		e.invalid(name, "%s must have a host in it.", name)
	}
	password, _ := u.User.Password()
	b.Secrets = append(b.Secrets, password)
	for name, values := range u.Query() {
		if namesSecret.MatchString(name) {
			b.Secrets = append(b.Secrets, values...)
		}
	}
	u.User = nil
	e.texts[name] = u.String() // by which it is known and shown
}

var httpMethod = regexp.MustCompile(`^[A-Za-z]+$`)

// method is known for a method of HTTP.
func (e *settingsEval) method(name string, target *string) {
	if e.known(name, target) && !httpMethod.MatchString(*target) {
		e.invalid(name, "%s is a method of HTTP, such as %q.", name, "POST")
	}
}

// count is known for a whole number from 0 on.
func (e *settingsEval) count(name string, standard, most int) int {
	n := standard
	if e.known(name, &n) && (n < 0 || n > most) {
		e.invalid(name, "%s is a whole number from 0 to %d.", name, most)
	}
	return n
}
