package config

import (
	"bytes"
	"regexp"
	"strings"
)

// A file with a syntax error is looked at line by line. All values are secret in each block that may
// hold a secret.

var (
	topLevel = regexp.MustCompile(`^(?:(?:locals|kplan|import|moved|removed|terraform)\b\s*\{` +
		`|(?:resource|variable|output|module|provider)\b\s*[="\w]|[A-Za-z_]\w*(?:\s*"[^"]*")+\s*\{)`)
	blockHead  = regexp.MustCompile(`^(\w+)(?:[\s="]*([A-Za-z][\w-]*))?`)
	assignment = regexp.MustCompile(`^\s*(?:"[^"]*"|[\w.-]+)?\s*[=:]\s*`)
	frame      = regexp.MustCompile(`^\s*(?:[\w-]+(?:\s+"[^"]*")*\s*\{|(?:(?:"[^"]*"|[\w.-]+)\s*[=:]\s*)?[{}()\[\],]*)\s*$`)

	anyWord     = regexp.MustCompile(`[A-Za-z_][\w-]*`)
	reference   = regexp.MustCompile(`\b(?:local|var)\.[\w-]+`)
	assigned    = regexp.MustCompile(`(?m)(?:^|[{,])\s*"?([\w-]+)"?\s*[=:]`)
	credentials = regexp.MustCompile(`(?i)token|passw|secret|key|exec|proxy`)
	dataField   = regexp.MustCompile(`(?im)^\s*"?(?:string_?)?data\b|string_?data`)
)

// chunk is a block of a file's top level, from its head to the next one's.
type chunk struct {
	at   int
	text []byte
}

func chunksOf(name string, src []byte) []chunk {
	chunks := []chunk{{}}
	at := 0
	for line := range bytes.Lines(src) {
		if !strings.HasSuffix(name, ".json") && topLevel.Match(line) && !bytes.HasPrefix(line, []byte("dynamic")) {
			chunks = append(chunks, chunk{at: at})
		}
		at += len(line)
		last := &chunks[len(chunks)-1]
		last.text = src[last.at:at]
	}
	return chunks
}

// references records to what the blocks that may hold secrets refer.
func (f *secretFinder) references(name string, src []byte) {
	for _, c := range chunksOf(name, src) {
		if f.mayHoldSecrets(name, c.text) {
			for _, name := range reference.FindAll(c.text, -1) {
				f.referenced[string(name)] = true
			}
		}
	}
}

// lines records the values in the blocks that may hold secrets.
func (f *secretFinder) lines(name string, src []byte) {
	for _, c := range chunksOf(name, src) {
		secret, at := f.mayHoldSecrets(name, c.text), c.at
		for line := range bytes.Lines(c.text) {
			if text := bytes.TrimRight(line, "\r\n"); secret && !frame.Match(text) || bytes.Contains(text, []byte("sensitive(")) {
				indent := len(text) - len(bytes.TrimLeft(text, " \t"))
				if m := assignment.FindIndex(text); m != nil {
					indent = m[1]
				}
				f.addRange(name, src, at+indent, at+len(text))
			}
			at += len(line)
		}
	}
}

// mayHoldSecrets reports whether the text of a block, or of a whole file in JSON, may be that of an
// object with secret fields, of something sensitive, of credentials or of a value that a secret uses.
func (f *secretFinder) mayHoldSecrets(name string, text []byte) bool {
	if strings.HasSuffix(name, ".json") {
		isSecret := func(word string) bool { return hasSecrets(intendedKind(word)) || isNear(word, "stringdata") }
		return f.isWorded(text) || hasWord(text, isSecret) || bytes.Contains(text, []byte(`"cluster"`)) && credentials.Match(text)
	}
	head := blockHead.FindSubmatch(text)
	if head == nil {
		return f.isWorded(text)
	}
	switch typ, label := intendedBlock(string(head[1])), string(head[2]); typ {
	case "locals":
		return f.isWorded(text)
	case "variable":
		return f.referenced["var."+label] || f.isWorded(text)
	case "kplan":
		return credentials.Match(text)
	case "output", "import", "moved", "removed":
		return f.isWorded(text)
	default:
		kind := f.kindOf(label, "")
		if kind == nil {
			return strings.Contains(strings.ToLower(string(head[0])), "secret") || hasSecrets(intendedKind(label)) || dataField.Match(text)
		}
		return hasSecrets(kind) || hasWord(text, func(word string) bool { return isNear(word, "stringdata") })
	}
}

// isWorded reports whether a text has the word sensitive, or a misspelled one, or assigns to a local
// value that a secret uses.
func (f *secretFinder) isWorded(text []byte) bool {
	for _, m := range assigned.FindAllSubmatch(text, -1) {
		if f.referenced["local."+string(m[1])] {
			return true
		}
	}
	return hasWord(text, func(word string) bool { return isNear(word, "sensitive") })
}

func hasWord(text []byte, is func(string) bool) bool {
	seen := map[string]bool{}
	for _, word := range anyWord.FindAll(text, -1) {
		if w := string(word); !seen[w] {
			if seen[w] = true; is(w) {
				return true
			}
		}
	}
	return false
}
