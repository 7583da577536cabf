package spec

// Field is what a shape says of a field.
type Field struct {
	Name       string
	Nullable   bool
	Optional   bool     // may be left out
	List       bool     // a list object of Shapes
	Array      bool     // a plain array; Shapes are of its elements
	Map        bool     // free keys; Shapes are of its values
	Expandable bool     // an id that can be expanded to one of Shapes, or a list that is left out until it is expanded
	Shapes     []string // of a nested, listed or expandable object
}

// FieldOf is what a shape says of one field. Its Shapes are not to be changed.
func FieldOf(shape, name string) (Field, bool) {
	n, ok := number(shape)
	if !ok {
		return Field{}, false
	}
	t := templateOf(n)
	i, ok := t.number(name)
	if !ok {
		return Field{}, false
	}
	return t.described()[i], true
}

// Fields are what a shape says of all its fields, in the order of rendering. They are not to be changed.
func Fields(shape string) []Field {
	n, ok := number(shape)
	if !ok {
		return nil
	}
	return templateOf(n).described()
}

func describe(f *field) Field {
	v := &values[f.value]
	d := Field{Name: f.name, Nullable: v.nullable, Optional: !f.required}
	elem := v
	switch v.form {
	case formArray:
		d.Array, elem = true, &values[v.ref]
	case formMap:
		d.Map, elem = true, &values[v.ref]
	}
	switch elem.form {
	case formID:
		d.Expandable = true
		d.Shapes = names(elem.ref)
	case formList:
		d.List, d.Expandable = true, !f.required
		d.Shapes = names(elem.ref)
	case formObject:
		d.Shapes = names(elem.ref)
	}
	return d
}
