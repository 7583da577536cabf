package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestCommittedTablesAreThoseOfTheDocument(t *testing.T) {
	t.Parallel()
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	committed, err := filepath.Glob("../*_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if len(committed) != len(files) {
		t.Errorf("%d files are committed, %d are generated", len(committed), len(files))
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the document gives: run go generate in sandbox/spec", name)
		}
	}
}

// TestAlwaysIsNeeded fails for a field that the fixtures show by now.
func TestAlwaysIsNeeded(t *testing.T) {
	t.Parallel()
	doc, fixtures, err := load()
	if err != nil {
		t.Fatal(err)
	}
	g := newShapes(doc.Components.Schemas, fixtures)
	for shape, names := range always {
		s := g.schemas[shape]
		if s == nil {
			t.Errorf("there is no shape %s", shape)
			continue
		}
		for _, name := range names {
			p := s.Properties[name]
			switch {
			case p == nil:
				t.Errorf("%s has no field %s", shape, name)
			case slices.Contains(s.Required, name):
				t.Errorf("%s requires %s by itself", shape, name)
			case g.evident(shape, name, p):
				t.Errorf("the fixtures show %s.%s by themselves", shape, name)
			}
		}
	}
}
