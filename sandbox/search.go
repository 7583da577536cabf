package sandbox

func (r *Resource) search(c *call) (appender, error) {
	return nil, unbuilt("%s", c.op)
}
