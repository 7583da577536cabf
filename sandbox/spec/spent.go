package spec

import "sync"

// Spent collects objects that nobody will look at again, so that later ones can have their room. Whoever drops many objects at once
// spares the garbage collector most of its work with it.
type Spent struct{ rooms []room }

// room is what an object was made in.
type room interface{ free() }

var (
	middleObjects = sync.Pool{New: func() any { return new(middleObject) }}
	largeObjects  = sync.Pool{New: func() any { return new(largeObject) }}
)

func (r *middleObject) free() {
	if poisoned {
		r.Object = Object{shape: dead}
		return
	}
	*r = middleObject{}
	middleObjects.Put(r)
}

func (r *largeObject) free() {
	if poisoned {
		r.Object = Object{shape: dead}
		return
	}
	*r = largeObject{}
	largeObjects.Put(r)
}

// Add takes an object with all that is in it. What is in two objects is taken once.
func (s *Spent) Add(o *Object) {
	for _, v := range o.live {
		switch v := v.(type) {
		case *Object:
			s.Add(v)
		case []*Object:
			for _, each := range v {
				s.Add(each)
			}
		}
	}
	if o.home != nil {
		s.rooms = append(s.rooms, o.home)
		o.home = nil
	}
}

// Release gives the room of all that was added to later objects.
func (s *Spent) Release() {
	for i, r := range s.rooms {
		r.free()
		s.rooms[i] = nil
	}
	s.rooms = s.rooms[:0]
}

// dead is the shape of a released object in a build with the tag poison, in which whoever looks at one panics: go test -tags poison
// ./sandbox/... shows that nobody does. There is no shape of this number.
const dead = ^uint16(0)
