package api_test

import (
	"strings"
	"testing"

	"github.com/till-pay/till/internal/fault"
)

const good = `{"title":"Milk","price":"1.20"}`

func TestGoodRequest(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	var got struct {
		Success bool
		Data    struct {
			Title, Price, Cost string
			Author             author
			Labels             map[string]string
		}
	}
	a := r.do(t, "POST", "/v1/notes", `{"title":"Milk","price":1.20,"kind":"loud","loud":true,"email":"a@b.example","link":"https://x.example/?a=1",
		"ref":"01992f6e-8d4b-7c31-9a75-2f6c1e0b4d83","when":"2026-01-31T09:30:00+01:00","tags":["a","b"],"author":{"name":"Jenny","age":7},"labels":{"a":"1"}}`)
	a.ok(201, &got)
	if !got.Success || got.Data.Title != "Milk" || got.Data.Price != "1.20" || got.Data.Cost != "1.20" || got.Data.Author.Age != 7 || got.Data.Labels["a"] != "1" {
		t.Errorf("%s", a.Body)
	}
	if r.caller.Merchant != "m" || r.caller.KeyID != "k" || a.Header().Get("Idempotent-Replayed") != "" {
		t.Errorf("caller %+v, headers %v", r.caller, a.Header())
	}
	if a = r.do(t, "POST", "/v1/notes", good, "Idempotency-Key: again"); a.Code != 201 || a.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("%d %v", a.Code, a.Header())
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	with := func(field string) string { return `{"title":"Milk","price":"1.20",` + field + `}` }
	price := func(v string) string { return `{"title":"Milk","price":` + v + `}` }
	for name, c := range map[string]struct {
		body  string
		code  fault.Code
		param string
	}{
		"empty":                     {"", fault.BodyInvalid, ""},
		"only space":                {" \n", fault.BodyInvalid, ""},
		"text":                      {secret, fault.BodyInvalid, ""},
		"cut off":                   {`{"title":"` + secret, fault.BodyInvalid, ""},
		"single quotes":             {`{'title':'` + secret + `'}`, fault.BodyInvalid, ""},
		"comma at the end":          {`{"title":"a","price":"1",}`, fault.BodyInvalid, ""},
		"two documents":             {good + good, fault.BodyInvalid, ""},
		"NaN":                       {price(`NaN`), fault.BodyInvalid, ""},
		"form":                      {"title=" + secret, fault.BodyInvalid, ""},
		"not UTF-8":                 {with(`"kind":"` + "\xff\xfe" + `"`), fault.BodyInvalid, ""},
		"list":                      {`[` + good + `]`, fault.BodyInvalid, ""},
		"null":                      {`null`, fault.BodyInvalid, ""},
		"string":                    {`"` + secret + `"`, fault.BodyInvalid, ""},
		"number":                    {`1`, fault.BodyInvalid, ""},
		"key twice":                 {with(`"title":"` + secret + `"`), fault.BodyInvalid, "title"},
		"inner key twice":           {with(`"author":{"name":"a","name":"b"}`), fault.BodyInvalid, "author.name"},
		"key twice, escaped":        {with(`"\u0074itle":"b"`), fault.BodyInvalid, "title"},
		"NUL in a value":            {with(`"kind":"a\u0000b"`), fault.BodyInvalid, "kind"},
		"NUL in a key":              {with(`"labels":{"a\u0000":"b"}`), fault.BodyInvalid, "labels"},
		"deep":                      {with(`"labels":` + strings.Repeat(`{"a":`, 17) + `1` + strings.Repeat(`}`, 17)), fault.BodyInvalid, "labels" + strings.Repeat(".a", 16)},
		"bottomless":                {strings.Repeat("[", 20000), fault.BodyInvalid, ""},
		"unknown field":             {with(`"colour":"` + secret + `"`), fault.ParameterUnknown, "colour"},
		"unknown inner field":       {with(`"author":{"name":"a","pin":"` + secret + `"}`), fault.ParameterUnknown, "author.pin"},
		"mistyped before absent":    {`{"titel":"Milk","price":"1.20"}`, fault.ParameterUnknown, "titel"},
		"first of several unknown":  {with(`"z":1,"b":2,"y":3`), fault.ParameterUnknown, "b"},
		"other case":                {`{"Title":"Milk","price":"1.20"}`, fault.ParameterUnknown, "Title"},
		"absent":                    {`{"price":"1.20"}`, fault.ParameterMissing, "title"},
		"inner absent":              {with(`"author":{}`), fault.ParameterMissing, "author.name"},
		"null for required":         {`{"title":null,"price":"1.20"}`, fault.ParameterInvalid, "title"},
		"string for bool":           {with(`"loud":"` + secret + `"`), fault.ParameterInvalid, "loud"},
		"number for string":         {`{"title":1,"price":"1.20"}`, fault.ParameterInvalid, "title"},
		"object for string":         {`{"title":{"a":"` + secret + `"},"price":"1.20"}`, fault.ParameterInvalid, "title"},
		"string for object":         {with(`"author":"` + secret + `"`), fault.ParameterInvalid, "author"},
		"string for list":           {with(`"tags":"` + secret + `"`), fault.ParameterInvalid, "tags"},
		"number in list":            {with(`"tags":["a",1]`), fault.ParameterInvalid, "tags[1]"},
		"long list":                 {with(`"tags":["a","b","` + secret + `"]`), fault.ParameterInvalid, "tags"},
		"fraction for integer":      {with(`"author":{"name":"a","age":1.5}`), fault.ParameterInvalid, "author.age"},
		"string for integer":        {with(`"author":{"name":"a","age":"1"}`), fault.ParameterInvalid, "author.age"},
		"exponent for integer":      {with(`"author":{"name":"a","age":1e2}`), fault.ParameterInvalid, "author.age"},
		"below the minimum":         {with(`"author":{"name":"a","age":0}`), fault.ParameterInvalid, "author.age"},
		"above the maximum":         {with(`"author":{"name":"a","age":151}`), fault.ParameterInvalid, "author.age"},
		"beyond 64 bits":            {with(`"author":{"name":"a","age":1e30}`), fault.ParameterInvalid, "author.age"},
		"beyond any number":         {price(`1e309`), fault.ParameterInvalid, "price"},
		"empty string":              {`{"title":"","price":"1.20"}`, fault.ParameterInvalid, "title"},
		"long string":               {`{"title":"` + secret + secret + `","price":"1.20"}`, fault.ParameterInvalid, "title"},
		"not of the list":           {with(`"kind":"` + secret + `"`), fault.ParameterInvalid, "kind"},
		"no email":                  {with(`"email":"` + secret + `"`), fault.ParameterInvalid, "email"},
		"email that could echo":     {with(`"email":"<` + secret + `@"`), fault.ParameterInvalid, "email"},
		"no URL":                    {with(`"link":"http://` + secret + `:port"`), fault.ParameterInvalid, "link"},
		"no UUID":                   {with(`"ref":"` + secret + `"`), fault.ParameterInvalid, "ref"},
		"no time":                   {with(`"when":"` + secret + `"`), fault.ParameterInvalid, "when"},
		"amount true":               {price(`true`), fault.ParameterInvalid, "price"},
		"amount null":               {price(`null`), fault.ParameterInvalid, "price"},
		"amount object":             {price(`{"a":"` + secret + `"}`), fault.ParameterInvalid, "price"},
		"amount empty":              {price(`""`), fault.ParameterInvalid, "price"},
		"amount too long":           {price(`"` + secret + secret + `"`), fault.ParameterInvalid, "price"},
		"too many labels":           {with(`"labels":{"a":"1","b":"2","c":"` + secret + `"}`), fault.ParameterInvalid, "labels"},
		"number for a label":        {with(`"labels":{"a":1}`), fault.ParameterInvalid, "labels.a"},
		"name longer than a screen": {with(`"` + strings.Repeat("x", 5000) + `":1`), fault.ParameterUnknown, strings.Repeat("x", 100) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			message := r.do(t, "POST", "/v1/notes", c.body).refused(400, c.code, c.param)
			t.Log(message)
			if len(r.created) != 0 {
				t.Error("it reached the room")
			}
		})
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for body, want := range map[string]string{
		`{"title":"a","price":"1"`: "The body is not well-formed JSON: it breaks off or goes wrong at byte 24.",
		`{"title":"a"}`:            "The field price is required.",
		`{"title":"a","price":[]}`: "The field price must be a decimal number, as a string or a number.",
		`{"title":"a","price":"1","author":{"name":"abcdefghijk"}}`: "The field author.name must be at most 10 characters long.",
		`{"title":"a","price":"1","author":{"name":"a","age":0}}`:   "The field author.age must be 1 or more.",
		`{"title":"a","price":"1","kind":"shrill"}`:                 "The field kind must be one of plain, loud.",
		`{"title":"a","price":"1","code":"A1"}`:                     "The field code must be lower-case letters.",
		`{"title":"a","price":"1","when":"noon"}`:                   "The field when must be a time such as 2026-01-31T09:30:00Z.",
		`{"title":"a","price":"1","author":{"name":"a","age":1e2}}`: "The field author.age must be a whole number.",
	} {
		var got struct{ Error struct{ Message string } }
		r.do(t, "POST", "/v1/notes", body).ok(400, &got)
		if got.Error.Message != want {
			t.Errorf("%s\ngot  %s\nwant %s", body, got.Error.Message, want)
		}
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for _, accepted := range []string{"application/json", "Application/JSON", "application/json; charset=utf-8", `application/json;charset="UTF-8"`, ""} {
		if a := r.do(t, "POST", "/v1/notes", good, "Content-Type: "+accepted); a.Code != 201 {
			t.Errorf("%q: %s", accepted, a.Body)
		}
	}
	r = newRoom(t)
	for _, refused := range []string{"text/plain", "text/plain; charset=utf-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
		"text/plain+json", "application/problem+json", "application/json; charset=latin1", "json", ";", "application/json; charset", secret} {
		r.do(t, "POST", "/v1/notes", good, "Content-Type: "+refused).refused(400, fault.ContentTypeUnsupported, "")
	}
	if len(r.created) != 0 {
		t.Error("it reached the room")
	}
}

func TestHugeBodies(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	pad := func(n int) string { return good + strings.Repeat(" ", n-len(good)) }
	if a := r.do(t, "POST", "/v1/notes", pad(64<<10)); a.Code != 201 {
		t.Errorf("a body of exactly the limit: %s", a.Body)
	}
	r.do(t, "POST", "/v1/notes", pad(64<<10+1)).refused(413, fault.BodyTooLarge, "")
	r.do(t, "POST", "/v1/notes", pad(64<<20)).refused(413, fault.BodyTooLarge, "")
	if a := r.do(t, "POST", "/v1/hook", strings.Repeat("\xff", 100)); a.Code != 200 || !strings.Contains(a.Body.String(), `"received":100`) {
		t.Errorf("a raw body of the limit: %s", a.Body)
	}
	r.do(t, "POST", "/v1/hook", strings.Repeat("\xff", 101)).refused(413, fault.BodyTooLarge, "")
	r.do(t, "POST", "/v1/hook", "").refused(400, fault.BodyInvalid, "")
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	const key = "Idempotency-Key"
	r.do(t, "POST", "/v1/notes", good, key+": ").refused(400, fault.IdempotencyKeyRequired, key)
	r.do(t, "POST", "/v1/notes", `{"titel":1}`, key+": ").refused(400, fault.IdempotencyKeyRequired, key)
	r.do(t, "POST", "/v1/notes", good, key+": "+strings.Repeat(secret, 20)).refused(400, fault.IdempotencyKeyTooLong, key)
	r.do(t, "POST", "/v1/notes", good, key+": "+secret+"\xff").refused(400, fault.ParameterInvalid, key)
	if len(r.created) != 0 {
		t.Error("it reached the room")
	}
	if a := r.do(t, "POST", "/v1/notes", good, key+": "+strings.Repeat("k", 255), "Accept: text/html"); a.Code != 201 || a.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v", a.Code, a.Header())
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	for query, c := range map[string]struct {
		code  fault.Code
		param string
	}{
		"colour=" + secret:                   {fault.ParameterUnknown, "colour"},
		"Limit=5":                            {fault.ParameterUnknown, "Limit"},
		secret[:0] + "limit=":                {fault.ParameterInvalid, "limit"},
		"limit":                              {fault.ParameterInvalid, "limit"},
		"title=":                             {fault.ParameterInvalid, "title"},
		"limit=5&limit=6":                    {fault.ParameterInvalid, "limit"},
		"limit=0":                            {fault.ParameterInvalid, "limit"},
		"limit=101":                          {fault.ParameterInvalid, "limit"},
		"limit=-1":                           {fault.ParameterInvalid, "limit"},
		"limit=1e1":                          {fault.ParameterInvalid, "limit"},
		"limit=99999999999999999999":         {fault.ParameterInvalid, "limit"},
		"limit=" + secret:                    {fault.ParameterInvalid, "limit"},
		"loud=" + secret:                     {fault.ParameterInvalid, "loud"},
		"since=" + secret:                    {fault.ParameterInvalid, "since"},
		"since=2026-13-01T00:00:00Z":         {fault.ParameterInvalid, "since"},
		"title=" + secret + secret:           {fault.ParameterInvalid, "title"},
		"cursor=" + secret:                   {fault.ParameterInvalid, "cursor"},
		"cursor=" + strings.Repeat("A", 121): {fault.ParameterInvalid, "cursor"},
		"title=" + secret + "!":              {fault.ParameterInvalid, "title"},
		"title=%ff":                          {fault.ParameterInvalid, "title"},
		"title=a%00":                         {fault.ParameterInvalid, "title"},
		"%ff=a":                              {fault.ParameterUnknown, ""},
		"title=%zz":                          {fault.ParameterInvalid, ""},
		"title=a;limit=1":                    {fault.ParameterInvalid, ""},
		"metadata=" + secret:                 {fault.ParameterUnknown, "metadata"},
		"metadata[]=a":                       {fault.ParameterUnknown, "metadata[]"},
		"metadata[a=b":                       {fault.ParameterUnknown, "metadata[a"},
		"metadata[a][b]=c":                   {fault.ParameterUnknown, "metadata[a][b]"},
		"metadata[a]=":                       {fault.ParameterInvalid, "metadata[a]"},
		"metadata[a]=b&metadata[a]=c":        {fault.ParameterInvalid, "metadata[a]"},
		"title[a]=b":                         {fault.ParameterUnknown, "title[a]"},
		"data[a]=b":                          {fault.ParameterUnknown, "data[a]"},
		"metadata[a]=" + strings.Repeat("x", 501): {fault.ParameterInvalid, "metadata.a"},
		"metadata[1]=1&metadata[2]=1&metadata[3]=1&metadata[4]=1&metadata[5]=1&metadata[6]=1&metadata[7]=1&metadata[8]=1&metadata[9]=1&metadata[10]=1&metadata[11]=1": {fault.ParameterInvalid, "metadata"},
		strings.Repeat("x", 5000) + "=1": {fault.ParameterUnknown, strings.Repeat("x", 100) + "…"},
	} {
		t.Run(clip(query), func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.do(t, "GET", "/v1/notes?"+query, "").refused(400, c.code, c.param)
			if len(r.listed) != 0 && c.param != "cursor" { // a list reads its own cursor
				t.Error("it reached the room")
			}
		})
	}
	t.Run("good", func(t *testing.T) {
		t.Parallel()
		r := newRoom(t)
		a := r.do(t, "GET", "/v1/notes?l%69mit=5&metadata[order%20id]=%5B1%5D&metadata%5Bb%5D=%26&title=a+b&loud=true&since=2026-01-31T09:30:00.5%2B01:00", "")
		if a.Code != 200 || len(r.listed) != 1 {
			t.Fatalf("%s", a.Body)
		}
		in := r.listed[0]
		if in.Limit != 5 || in.Metadata["order id"] != "[1]" || in.Metadata["b"] != "&" || len(in.Metadata) != 2 || in.Title != "a b" || !in.Loud || in.Since.Minute() != 30 {
			t.Errorf("%+v", in)
		}
		if a = r.do(t, "GET", "/v1/notes", ""); a.Code != 200 || r.listed[1].Limit != 20 || a.Body.String() != `{"success":true,"data":[],"page":{"next":"","has_more":false}}`+"\n" {
			t.Errorf("%+v: %s", r.listed[1], a.Body)
		}
	})
}

func clip(s string) string { return s[:min(len(s), 40)] }
