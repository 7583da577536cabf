//go:build poison

package spec

import "testing"

// TestPoison: in a build with this tag, looking at a released object panics.
func TestPoison(t *testing.T) {
	t.Parallel()
	o := made(New("payment_intent").shape, 32) // small ones are not used again
	var s Spent
	s.Add(o)
	if o.String("object") != "payment_intent" {
		t.Error("an object is gone before its release")
	}
	s.Release()
	defer func() {
		if recover() == nil {
			t.Error("a released object can be looked at")
		}
	}()
	_ = o.String("object")
}
