package config

import (
	"net/url"
	"regexp"
	"strings"
)

// S3Backend is a state in a bucket. Its arguments have the names of Terraform's s3 backend.
type S3Backend struct {
	Bucket, Key, Region, Endpoint, Profile string
	PathStyle                              *bool
	AccessKey, SecretKey, Token            string
}

var s3Backend = backendType{
	required: []string{"bucket", "key"},
	optional: []string{"region", "endpoint", "profile", "use_path_style", "access_key", "secret_key", "token"},
	secret:   []string{"access_key", "secret_key", "token"},
	place:    []string{"bucket", "key", "endpoint"},
	evaluate: (*Backend).s3,
	hints: func() map[string]string {
		hints := map[string]string{
			"endpoints":            `The endpoint is one URL here: endpoint = "https://s3.example.com"`,
			"force_path_style":     "It is called use_path_style.",
			"workspace_key_prefix": `kplan has no workspaces. The key can have a variable in it: key = "${var.tenant}.json"`,
		}
		for text, names := range map[string][]string{
			"The lock is in the state's object itself, and always taken. Remove this argument.": {
				"dynamodb_table", "dynamodb_endpoint", "lock_table", "use_lockfile"},
			"What the bucket says applies to its objects: set its default encryption, or its policy.": {
				"encrypt", "kms_key_id", "sse_customer_key", "acl"},
			"kplan assumes the role of AWS_ROLE_ARN with the token in AWS_WEB_IDENTITY_TOKEN_FILE, and no other: export the credentials of " +
				"the role first, with aws configure export-credentials --format env.": {
				"role_arn", "assume_role", "assume_role_with_web_identity", "external_id", "session_name", "assume_role_duration_seconds"},
			"The shared files are those of AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE.": {
				"shared_credentials_file", "shared_credentials_files", "shared_config_files"},
			"kplan does nothing that this would leave out. Remove this argument.": {
				"skip_credentials_validation", "skip_region_validation", "skip_requesting_account_id", "skip_metadata_api_check",
				"skip_s3_checksum"},
		} {
			for _, name := range names {
				hints[name] = text
			}
		}
		return hints
	}(),
}

// controls are characters that neither an object's name nor a state's has.
var controls = regexp.MustCompile(`[[:cntrl:]]`)

func (b *Backend) s3(e *settingsEval) {
	s := &b.S3
	if e.known("bucket", &s.Bucket) && (s.Bucket == "" || strings.Contains(s.Bucket, "/")) {
		e.invalid("bucket", "bucket is the name of a bucket alone; what stands behind a slash belongs to key.")
	}
	if e.known("key", &s.Key) && !isKey(s.Key) {
		e.invalid("key", `key is the name of an object, such as "states/shop.json": of at most 900 bytes, without control characters, `+
			"and without a slash at its ends or two in a row.")
	}
	e.set("region", &s.Region)
	if e.known("endpoint", &s.Endpoint) && !isServer(s.Endpoint) { // which is not quoted: it may have a password
		e.invalid("endpoint", `endpoint is the URL of a server, with nothing behind its port, such as "https://s3.example.com:9000".`)
	}
	e.set("profile", &s.Profile)
	var style bool
	if e.known("use_path_style", &style) {
		s.PathStyle = &style
	}
	e.set("access_key", &s.AccessKey)
	e.set("secret_key", &s.SecretKey)
	e.set("token", &s.Token)
	t := together{attrs: e.present}
	t.needs("access_key", "secret_key")
	t.needs("secret_key", "access_key")
	t.needs("token", "access_key")
	t.conflict("profile", "access_key", "each has the credentials")
	e.diags = append(e.diags, t.diags...)
}

func isKey(text string) bool {
	return text != "" && len(text) <= 900 && !controls.MatchString(text) &&
		!strings.HasPrefix(text, "/") && !strings.HasSuffix(text, "/") && !strings.Contains(text, "//")
}

func isServer(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && strings.Trim(u.Path, "/") == "" &&
		u.RawQuery == "" && u.Fragment == ""
}

// PostgresBackend is a state in a database. Its arguments have the names of Terraform's pg backend.
type PostgresBackend struct {
	// ConnString is empty where all of it comes from the environment.
	ConnString, SchemaName, Name string
}

var postgresBackend = backendType{
	required: []string{"name"},
	optional: []string{"conn_str", "schema_name"},
	evaluate: (*Backend).postgres,
	hints: map[string]string{
		"skip_schema_creation": "The schema and its tables are created by the first run that finds none and may. Remove this argument.",
		"skip_table_creation":  "The schema and its tables are created by the first run that finds none and may. Remove this argument.",
		"skip_index_creation":  "The schema and its tables are created by the first run that finds none and may. Remove this argument.",
		"table_name":           "The tables are called state_heads and state_parts; schema_name is the schema that they are in.",
	},
}

func (b *Backend) postgres(e *settingsEval) {
	p := &b.Postgres
	if e.known("name", &p.Name) && (p.Name == "" || len(p.Name) > 200 || controls.MatchString(p.Name)) {
		e.invalid("name", "name is that of the state, of 1 to 200 characters.")
	}
	if e.known("schema_name", &p.SchemaName) && (p.SchemaName == "" || len(p.SchemaName) > 63 || controls.MatchString(p.SchemaName)) {
		e.invalid("schema_name", "schema_name is the name of a schema, of 1 to 63 characters.")
	}
	if e.known("conn_str", &p.ConnString) && p.ConnString != "" {
		password, where := takeApart(p.ConnString)
		b.Secrets = append(b.Secrets, p.ConnString, password)
		e.texts["conn_str"] = where // by which it is known and shown
	}
}

// connWords are the keywords of a connection string that say where the database is.
var connWords = regexp.MustCompile(`\b(?:host|hostaddr|port|dbname|service)\s*=\s*(?:'[^']*'|[^\s']+)`)

var connPassword = regexp.MustCompile(`\bpassword\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))`)

// takeApart finds the password of a connection string, and what of it says where the database is.
func takeApart(text string) (password, where string) {
	if strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://") {
		u, err := url.Parse(text)
		if err != nil {
			return "", ""
		}
		password, _ = u.User.Password()
		if password == "" {
			password = u.Query().Get("password")
		}
		return password, u.Host + u.Path
	}
	if found := connPassword.FindStringSubmatch(text); found != nil {
		password = found[1] + found[2]
	}
	return password, strings.Join(connWords.FindAllString(text, -1), " ")
}
