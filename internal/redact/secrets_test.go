package redact

import "testing"

func TestSecrets(t *testing.T) {
	var none *Secrets
	none.Add("hunter2")
	if got := none.Hide("hunter2"); got != "hunter2" {
		t.Errorf("nil hides: %q", got)
	}
	s := new(Secrets)
	s.Show("web")
	s.Add("web", "true", "hunter2", "ab") // a name, what anybody guesses, a secret, and what is too short
	const text = "web is true: hunter2, ab, hunter3"
	if got, want := s.Hide(text), "web is true: "+Mask+", ab, hunter3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Add("hunter3")
	if got, want := s.Hide(text), "web is true: "+Mask+", ab, "+Mask; got != want {
		t.Errorf("what is learned later is not hidden: got %q, want %q", got, want)
	}
	s.Show("hunter3")
	if got, want := s.Hide(text), "web is true: "+Mask+", ab, hunter3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
