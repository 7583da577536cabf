// Package transcript plays transcripts of the sandbox: plain texts of requests and of the answers to them, which are test and example
// in one. It is for tests.
//
// A transcript is steps separated by blank lines. A step is a request and its answer:
//
//	# A remark, kept as it is.
//	> POST /v1/payment_intents
//	> Idempotency-Key: order-1
//	> amount=1000
//	> currency=usd
//	< 200
//	{ … }
//
// Parameters stand unescaped, one a line. {pi_1} in a request is the first id that the answers have shown with that prefix; in answers
// ids and other random values are written so, and fields that are null are left out. A path under /_sandbox/ takes a line of JSON. With
// a line "> as browser" the request carries the publishable key. A parameter "file=@receipt.pdf" is a file of that name and kind; then
// the request is multipart/form-data.
package transcript

import (
	"net/url"
	"strings"
)

// Step is a request of a transcript, with names in it such as {pi_1}.
type Step struct {
	Kept         []string    // the lines that are not the answer's, as they stand
	Method, Path string      // empty where there are only remarks
	Header       [][2]string // name and value
	Form         string      // the parameters, escaped
	JSON         string      // the body instead of parameters
	Browser      bool        // sent with the publishable key
}

// Parse takes a transcript apart. The answers in it are left out.
func Parse(text string) []Step {
	var all []Step
	for _, step := range strings.Split(strings.TrimSpace(text), "\n\n") {
		all = append(all, parseStep(step))
	}
	return all
}

func parseStep(text string) Step {
	var s Step
	var params []string
	for _, line := range strings.Split(text, "\n") {
		sent, isRequest := strings.CutPrefix(line, "> ")
		if isRequest || strings.HasPrefix(line, "#") {
			s.Kept = append(s.Kept, line)
		}
		name, value, isHeader := strings.Cut(sent, ": ")
		switch {
		case !isRequest:
		case s.Method == "":
			s.Method, s.Path, _ = strings.Cut(sent, " ")
		case sent == "as browser":
			s.Browser = true
		case strings.HasPrefix(sent, "{"):
			s.JSON = sent
		case isHeader && !strings.Contains(name, "="):
			s.Header = append(s.Header, [2]string{name, value})
		default:
			name, value, _ := strings.Cut(sent, "=")
			params = append(params, escape(name)+"="+escape(value))
		}
	}
	s.Form = strings.Join(params, "&")
	return s
}

// escape escapes for a form, but leaves the braces of names alone.
func escape(s string) string {
	return strings.NewReplacer("%7B", "{", "%7D", "}").Replace(url.QueryEscape(s))
}
