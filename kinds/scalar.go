package kinds

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// number is a JSON number: a whole one that fits an int64 exactly, any other
// as a float64.
type number struct {
	whole int64
	float float64 // when it is no int64
}

func (n number) isZero() bool { return n == number{} }

func asNumber(v any) (number, bool) {
	switch v := v.(type) {
	case int64:
		return number{whole: v}, true
	case int:
		return number{whole: int64(v)}, true
	case int32:
		return number{whole: int64(v)}, true
	case float64:
		return fromFloat(v), true
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return number{whole: n}, true
		}
		if x, err := v.Float64(); err == nil {
			return fromFloat(x), true
		}
	}
	return number{}, false
}

func fromFloat(x float64) number {
	if x == math.Trunc(x) && x >= -1<<63 && x < 1<<63 {
		return number{whole: int64(x)}
	}
	return number{float: x}
}

// text is the number as JSON writes it.
func (n number) text() string {
	if n.float != 0 {
		return strconv.FormatFloat(n.float, 'g', -1, 64)
	}
	return strconv.FormatInt(n.whole, 10)
}

type notText struct{}

func (notText) Error() string { return "not a string" }

func parseQuantity(v any) (resource.Quantity, error) {
	s, ok := v.(string)
	if !ok {
		n, isNumber := asNumber(v)
		if !isNumber {
			return resource.Quantity{}, notText{}
		}
		s = n.text()
	}
	return resource.ParseQuantity(strings.TrimSpace(s))
}

func parseDuration(v any) (time.Duration, error) {
	s, ok := v.(string)
	if !ok {
		return 0, notText{}
	}
	return time.ParseDuration(s)
}

// parseTime reads a time to the precision that the server keeps.
func (f *Field) parseTime(v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, notText{}
	}
	t, err := time.Parse(f.layout(), s)
	return t.Truncate(f.precision()), err
}

func (f *Field) precision() time.Duration {
	if f.micro {
		return time.Microsecond
	}
	return time.Second
}

// layout is how the server writes a time of the field. Of one with a fraction
// it also reads no other.
func (f *Field) layout() string {
	if f.micro {
		return "2006-01-02T15:04:05.000000Z07:00"
	}
	return time.RFC3339
}

func parseBytes(v any) ([]byte, error) {
	s, ok := v.(string)
	if !ok {
		return nil, notText{}
	}
	return base64.StdEncoding.DecodeString(s)
}
