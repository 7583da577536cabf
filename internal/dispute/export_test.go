package dispute

import (
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Written is the row of an outcome once it has been written over was.
func (d Dispute) Written(was Dispute) Dispute {
	if !unchanged(was, d) {
		d.version = was.version + 1
	}
	return d
}

// IgnoreVersion compares rows that were written in different numbers of steps.
var IgnoreVersion cmp.Option = cmpopts.IgnoreFields(Dispute{}, "version")
