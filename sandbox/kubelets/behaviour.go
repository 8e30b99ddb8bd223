package kubelets

import (
	"strings"
	"time"
)

// behaviour is what a container does once its pod has a node. The zero value runs and is ready.
type behaviour struct {
	unpullable bool          // its image can't be pulled
	exits      bool          // its program ends, with exitCode
	exitCode   int32         //
	unready    bool          // it runs but never gets ready
	delay      time.Duration // it gets ready, or ends, only after that
	stubborn   bool          // it ignores TERM and so takes the whole grace period to go
}

// imagePrefix begins the images that behave as their name says. Every other image is "pulled" and runs well.
const imagePrefix = "kplan.test/"

// behaviours are the images that behave as their name says. The tag, where it is a duration, is the delay:
// kplan.test/slow:3s.
var behaviours = map[string]behaviour{
	"does-not-exist": {unpullable: true},
	"crashes":        {exits: true, exitCode: 1},
	"completes":      {exits: true},
	"never-ready":    {unready: true},
	"slow":           {delay: 5 * time.Second},
	"ignores-term":   {stubborn: true},
}

// behaviourOf is how a container of this image behaves. Of kplan.test, only what is listed exists; a suffix after
// the name makes no difference, so tests can distinguish their images.
func behaviourOf(image string) behaviour {
	rest, ours := strings.CutPrefix(image, imagePrefix)
	if !ours {
		return behaviour{}
	}
	name, tag, _ := strings.Cut(rest, ":")
	for known, b := range behaviours {
		if name == known || strings.HasPrefix(name, known+"-") {
			if delay, err := time.ParseDuration(tag); err == nil {
				b.delay = delay
			}
			return b
		}
	}
	return behaviour{unpullable: true}
}
