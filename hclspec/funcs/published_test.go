package funcs

import (
	"fmt"
	"os"
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
// docs/language.md names all of them, and how many there are.
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
	cases, page := &strings.Builder{}, readPage(t)
	for _, test := range functionTests {
		cases.WriteString(test.call + "\n")
	}
	for _, name := range strings.Fields(published) {
		if !absent[name] && !strings.Contains(cases.String(), name+"(") {
			t.Errorf("%s: no case in functionTests", name)
		}
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("%s: not in docs/language.md", name)
		}
	}
	total := len(strings.Fields(published))
	count := fmt.Sprintf("Of the %d functions that OpenTofu documents, %d are here.", total, total-len(absent))
	if !strings.Contains(page, count) {
		t.Errorf("docs/language.md does not say: %s", count)
	}
	t.Logf("%d published, %d of them absent on purpose", len(strings.Fields(published)), len(absent))
}

func readPage(t *testing.T) string {
	text, err := os.ReadFile("../../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}
