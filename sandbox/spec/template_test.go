package spec

import (
	"sync"
	"testing"
)

// TestTemplatesAreMadeOnce: however many make the template of a shape at the same time, all work with one.
func TestTemplatesAreMadeOnce(t *testing.T) {
	t.Parallel()
	made := make([][]*template, 4)
	var all sync.WaitGroup
	for i := range made {
		all.Go(func() {
			for n := range shapes {
				made[i] = append(made[i], newTemplate(uint16(n)))
			}
		})
	}
	all.Wait()
	for n := range shapes {
		for i := range made {
			if made[i][n] != templateOf(uint16(n)) {
				t.Fatalf("%s has two templates", shapes[n].name)
			}
		}
	}
}

// TestNamesAreFound looks for every name, and for ones that nobody has.
func TestNamesAreFound(t *testing.T) {
	t.Parallel()
	for n := range shapes {
		if got, ok := number(shapes[n].name); !ok || int(got) != n {
			t.Errorf("%s is shape %d, found %t", shapes[n].name, got, ok)
		}
		tmpl := templateOf(uint16(n))
		for i := range shapes[n].fields {
			if got, ok := tmpl.number(shapes[n].fields[i].name); !ok || got != i {
				t.Errorf("%s.%s is field %d, found %t", shapes[n].name, shapes[n].fields[i].name, got, ok)
			}
		}
		for _, name := range []string{"", "a", "nothing_of_this_name"} {
			if got, ok := tmpl.number(name); ok {
				t.Errorf("%s.%s is field %d", shapes[n].name, name, got)
			}
		}
	}
}
