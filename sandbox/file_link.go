package sandbox

import (
	"time"

	"github.com/till-pay/till/sandbox/spec"
)

var fileLinks = &resource{
	Object:  "file_link",
	Path:    "/v1/file_links",
	Prefix:  "link_",
	Param:   "link",
	Takes:   []string{"expires_at", "file"},
	Filters: []string{"file"},
	Matches: map[string]func(*call, *record) bool{
		"expired": func(c *call, r *record) bool { return r.object().Bool("expired") == c.params.Bool("expired") },
	},
	Create: createFileLink,
	Made:   func(c *call, r *record) error { return c.linked(r) },
	Update: updateFileLink,
	Due:    map[string]func(*call, *record, string){"expire": func(c *call, r *record, _ string) { c.expireLink(r) }},
}

func createFileLink(c *call, r *record) error {
	id := c.params.String("file")
	file := c.find("file", id)
	if file == nil {
		return missingIn("file", "file upload", id)
	}
	name := file.text("purpose")
	if err := c.checkLink(purposes[name], name, c.params); err != nil {
		return err
	}
	until := int64(0)
	if c.params.Has("expires_at") {
		until = c.params.Int("expires_at")
	}
	c.link(r, file, until)
	return nil
}

// checkLink refuses a link to what can have none, and one that would end before it begins.
func (c *call) checkLink(of purpose, name string, given *spec.Params) error {
	if !of.links {
		return invalid("", "file", "A file with the purpose %s cannot have links.", name)
	}
	return c.checkExpires(given)
}

func (c *call) checkExpires(given *spec.Params) error {
	if given.IsInt("expires_at") && given.Int("expires_at") <= c.now().Unix() {
		return invalid("", "expires_at", "Invalid timestamp: must be an integer Unix timestamp in the future.")
	}
	return nil
}

// link fills a link to a file in: its address, which tells nothing and cannot be guessed, and until when it can be used; 0 is for ever.
func (c *call) link(r, file *record, until int64) {
	r.object().Set("file", file.id).Set("url", c.base+linkPath+c.tag+r.id[len("link_"):]+c.letters(linkToken))
	c.linkUntil(r, until)
}

func (c *call) linkUntil(r *record, until int64) {
	if until == 0 {
		r.object().Set("expires_at", nil)
		return
	}
	r.object().Set("expires_at", until)
	c.at(time.Unix(until, 0), "file_link.expire", r)
}

// linked shows a link in its file.
func (c *call) linked(r *record) error {
	showLinks(c, c.byID[r.object().String("file")])
	return nil
}

func updateFileLink(c *call, r *record) error {
	if !c.params.Has("expires_at") {
		return nil
	}
	if r.object().Bool("expired") {
		return refused("", "expires_at", "The link %s has expired.", r.id)
	}
	if err := c.checkExpires(c.params); err != nil {
		return err
	}
	switch {
	case c.params.Unset("expires_at"):
		c.linkUntil(r, 0)
	case c.params.IsInt("expires_at"):
		c.linkUntil(r, c.params.Int("expires_at"))
	default: // now
		r.object().Set("expires_at", c.now().Unix())
		c.expireLink(r)
		return nil
	}
	return c.linked(r)
}

// expireLink ends a link, unless it has been given more time.
func (c *call) expireLink(r *record) {
	until, _ := r.object().Get("expires_at").(int64)
	if until == 0 || until > c.now().Unix() || r.object().Bool("expired") {
		return
	}
	r.object().Set("expired", true).Set("url", nil)
	_ = c.linked(r)
}
