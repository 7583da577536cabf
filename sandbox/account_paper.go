package sandbox

import "github.com/till-pay/till/sandbox/spec"

// fileTestPaper puts in the place of the test mode's names for documents the files that they stand for, which are the platform's (recorded).
func (c *call) fileTestPaper(o *spec.Object) {
	for _, side := range []string{"front", "back"} {
		if id := o.String(side); id != "" && c.findFile(id) == nil {
			o.Set(side, c.platform().testPaper(id).id)
		}
	}
}

// testPaper is the file that a name of the test mode stands for. It is made when it is first wanted.
func (c *call) testPaper(name string) *record {
	for r := range c.each("file") {
		if r.text("filename") == name && r.text("purpose") == "identity_document" {
			return r
		}
	}
	r := c.record("file", c.newID("file_"))
	content := []byte("\x89PNG\r\n\x1a\n")
	all := int64(len(content))
	if before := c.all("file"); len(before) > 0 {
		all += known[filed](before[len(before)-1]).All
	}
	r.hidden = &filed{Content: content, All: all}
	r.object().Set("filename", name).Set("purpose", "identity_document").Set("size", len(content)).Set("type", "png").Set("url", nil)
	c.insert(r)
	return r
}
