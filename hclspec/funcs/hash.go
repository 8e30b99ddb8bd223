package funcs

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"

	"github.com/google/uuid"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

var hashFunctions = map[string]function.Function{
	"base64sha256": textFunc("The SHA-256 of text, in base64.", hashing(sha256.New, base64.StdEncoding.EncodeToString)),
	"base64sha512": textFunc("The SHA-512 of text, in base64.", hashing(sha512.New, base64.StdEncoding.EncodeToString)),
	"md5":          textFunc("The MD5 of text, in hexadecimal.", hashing(md5.New, hex.EncodeToString)),
	"sha1":         textFunc("The SHA-1 of text, in hexadecimal.", hashing(sha1.New, hex.EncodeToString)),
	"sha256":       textFunc("The SHA-256 of text, in hexadecimal.", hashing(sha256.New, hex.EncodeToString)),
	"sha512":       textFunc("The SHA-512 of text, in hexadecimal.", hashing(sha512.New, hex.EncodeToString)),
	"uuidv5":       uuidv5Func,
}

func hashing(algorithm func() hash.Hash, encode func([]byte) string) func(string) (string, error) {
	return func(text string) (string, error) {
		h := algorithm()
		h.Write([]byte(text))
		return encode(h.Sum(nil)), nil
	}
}

var uuidNamespaces = map[string]uuid.UUID{
	"dns": uuid.NameSpaceDNS, "url": uuid.NameSpaceURL, "oid": uuid.NameSpaceOID, "x500": uuid.NameSpaceX500,
}

var uuidv5Func = function.New(&function.Spec{
	Description: "The UUID of a name in a namespace: dns, url, oid, x500, or a UUID.",
	Params:      []function.Parameter{{Name: "namespace", Type: cty.String}, {Name: "name", Type: cty.String}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		namespace, ok := uuidNamespaces[args[0].AsString()]
		if !ok {
			var err error
			if namespace, err = uuid.Parse(args[0].AsString()); err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "the namespace must be dns, url, oid, x500 or a UUID")
			}
		}
		return cty.StringVal(uuid.NewSHA1(namespace, []byte(args[1].AsString())).String()), nil
	},
})
