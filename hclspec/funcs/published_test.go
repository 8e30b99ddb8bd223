package funcs

import (
	"strings"
	"testing"
)

// published are the functions that OpenTofu 1.13 documents, and "differs" what of them kplan has not, on purpose: there is
// a hint for each.
const (
	published = `abs abspath alltrue anytrue base64decode base64encode base64gunzip base64gzip base64sha256 base64sha512
		basename bcrypt can ceil chomp chunklist cidrcontains cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist
		compact concat contains convert csvdecode dirname distinct element endswith ephemeralasnull file filebase64
		filebase64sha256 filebase64sha512 fileexists filemd5 fileset filesha1 filesha256 filesha512 flatten floor format formatdate
		formatlist indent index issensitive join jsondecode jsonencode keys length list log lookup lower map matchkeys max md5
		merge min nonsensitive one parseint pathexpand plantimestamp pow range regex regexall replace reverse rsadecrypt sensitive
		setintersection setproduct setsubtract setunion sha1 sha256 sha512 signum slice sort split startswith strcontains strrev
		substr sum templatefile templatestring textdecodebase64 textencodebase64 timeadd timecmp timestamp title tobool tolist
		tomap tonumber toset tostring transpose trim trimprefix trimspace trimsuffix try type upper urldecode urlencode uuid uuidv5
		values yamldecode yamlencode zipmap`
	differs = `abspath bcrypt ephemeralasnull list map pathexpand plantimestamp rsadecrypt timestamp type uuid`
)

// TestPublishedFunctions checks that each has a meaning here, or a hint. Their results, case by case, are in functionTests.
func TestPublishedFunctions(t *testing.T) {
	absent := map[string]bool{}
	for _, name := range strings.Fields(differs) {
		absent[name] = true
		if absentFunctions[name] == "" {
			t.Errorf("%s: no hint", name)
		}
	}
	names := map[string]bool{}
	for _, name := range Names(Table(t.TempDir(), nil)) {
		names[name] = true
	}
	for _, name := range strings.Fields(published) {
		if names[name] == absent[name] {
			t.Errorf("%s: there %t, absent on purpose %t", name, names[name], absent[name])
		}
	}
	t.Logf("%d published, %d of them absent on purpose", len(strings.Fields(published)), len(absent))
}
