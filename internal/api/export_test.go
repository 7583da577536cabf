package api

import "time"

// SetCrowd makes the front door narrow.
func (a *API) SetCrowd(n int64) { a.crowd = n }

// SetBodyWithin makes the front door impatient.
func (a *API) SetBodyWithin(d time.Duration) { a.bodyWithin = d }

// AnswerWithin is the deadline of a request.
const AnswerWithin = answerWithin

// Status is the HTTP status of a code.
var Status = status

// Harmless is what an export writes for a cell.
func Harmless(cell string) string { return harmless(cell) }
