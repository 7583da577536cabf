package sandbox

import (
	"cmp"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/till-pay/till/sandbox/spec"
)

// Bounds of what is filled in, in bytes: of the whole, and of what is not a file.
const (
	maxFilledIn = maxUpload + 4*maxFile
	maxFields   = 200
)

// filledIn is what somebody has filled in: text, and files, by the names of the fields.
type filledIn struct {
	text  map[string]string
	files map[string]*upload
}

// take keeps what was filled in, and shows what is still missing; what is wrong is said beside its field, and what is right is kept.
func (f *form) take(w http.ResponseWriter, r *http.Request) {
	in, err := readFilledIn(w, r)
	if err != nil {
		formView{Message: "The form could not be read. A file may be too large: 16 MB at most."}.write(w, http.StatusRequestEntityTooLarge)
		return
	}
	view, to, status := formView{Message: "There is no such page."}, "", http.StatusNotFound
	_ = f.world.step(func() { // the next request tells of a failure
		v, elsewhere := f.enter()
		if v == nil {
			to = elsewhere
			return
		}
		v.base = baseURL(r)
		wrong := v.save(in)
		switch {
		case in.text["leave"] != "":
			v.e.Left, to = true, v.e.Return
		case len(wrong) > 0:
			view, status = v.view(in.text, wrong), http.StatusUnprocessableEntity
		case len(v.dues("currently_due")) == 0:
			v.submit()
			v.e.Left, to = true, v.e.Return
		default:
			to = r.URL.Path
		}
	})
	if to != "" {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	view.write(w, status)
}

// readFilledIn reads a form with files.
func readFilledIn(w http.ResponseWriter, r *http.Request) (*filledIn, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFilledIn)
	in := &filledIn{text: map[string]string{}, files: map[string]*upload{}}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, err
	}
	for range maxFields {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return in, nil
		}
		if err != nil {
			return nil, err
		}
		if err := in.read(part); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("too many fields")
}

func (in *filledIn) read(part *multipart.Part) error {
	limit := int64(maxUploadParam)
	if part.FileName() != "" {
		limit = maxFile
	}
	content, err := io.ReadAll(io.LimitReader(part, limit+1))
	switch {
	case err != nil:
		return err
	case int64(len(content)) > limit:
		return errors.New("too long")
	case part.FileName() != "":
		in.files[part.FormName()] = &upload{name: part.FileName(), content: content}
	default:
		in.text[part.FormName()] = strings.TrimSpace(string(content))
	}
	return nil
}

// submit says that the account has said what it had to.
func (v *visit) submit() {
	before := v.account.object().Clone()
	v.dossier().Submitted = true
	v.reviewSince(before)
}

// save sends what was filled in to the operations of the API that take it, and returns what they refuse. Fields that the form did not
// ask for are not looked at.
func (v *visit) save(in *filledIn) (wrong []formError) {
	asked := v.wanted()
	forms := map[string]url.Values{} // by whom they are of: "" for the account
	put := func(of, field, value string) {
		if forms[of] == nil {
			forms[of] = url.Values{}
		}
		forms[of].Set(bracketed(field), value)
	}
	for _, field := range asked {
		of, rest := v.targetOf(field)
		value, refused := v.valueOf(field, in)
		if refused != nil {
			wrong = append(wrong, formError{field, refused.Error()})
			continue
		}
		switch {
		case labelOf(field).kind == "birth" && in.text[field] != "":
			stem, said := strings.TrimSuffix(rest, "day"), strings.TrimSuffix(field, "day")
			for _, part := range []string{"day", "month", "year"} {
				put(of, stem+part, cmp.Or(in.text[said+part], "0"))
			}
		case field == "tos_acceptance.date" && value != "":
			put(of, field, strconv.FormatInt(v.now().Unix(), 10))
			put(of, "tos_acceptance.ip", "127.0.0.1")
		case field == "external_account" || value == "":
		case labelOf(field).kind == "file" && !strings.HasSuffix(field, ".files"):
			put(of, rest+".front", value)
		case labelOf(field).kind == "check":
			put(of, rest, "true")
		default:
			put(of, rest, value)
		}
	}
	for _, of := range inOrder(forms) {
		wrong = append(wrong, v.send(of, forms[of])...)
	}
	return append(wrong, v.saveBank(asked, in)...)
}

// inOrder are the names of forms, the account's first.
func inOrder(forms map[string]url.Values) (all []string) {
	for of := range forms {
		all = append(all, of)
	}
	slices.Sort(all)
	return all
}

// targetOf is whose a field is, and its name there: the account's own, a person's, or, by a role, that of a person who is yet to be named.
func (v *visit) targetOf(field string) (of, rest string) {
	first, rest, _ := strings.Cut(field, ".")
	switch {
	case strings.HasPrefix(first, "person_"), first == "owners", first == "directors", first == "executives":
		return first, rest
	case first == "representative" && entity(v.account.text("business_type")) == "company":
		return first, rest
	case first == "representative":
		return "", "individual." + rest
	default:
		return "", field
	}
}

// valueOf is what was filled in: a file is stored first, and its id is the value.
func (v *visit) valueOf(field string, in *filledIn) (string, error) {
	file := in.files[field]
	if file == nil || labelOf(field).kind != "file" {
		return in.text[field], nil
	}
	c := *v.call
	if err := c.prepareOwn("POST", "/v1/files", "file=1&purpose=identity_document"); err != nil {
		return "", err
	}
	c.upload = file
	made, err := kinds["file"].create(&c)
	if err != nil {
		return "", err
	}
	return made.(*record).id, nil
}

// prepareOwn makes the call one to an operation of the API, with parameters of the sandbox's own.
func (c *call) prepareOwn(method, path, params string) error {
	op, in, _ := spec.Match(method, path)
	decoded, bad := op.Decode(params)
	if bad != nil {
		return fromSpec(bad)
	}
	c.op, c.path, c.params, c.expand = op, in, decoded, nil
	return nil
}

// bracketed is a field as parameters are written: individual[dob][day].
func bracketed(field string) string {
	first, rest, nested := strings.Cut(field, ".")
	if !nested {
		return first
	}
	name := first + "[" + strings.ReplaceAll(rest, ".", "][") + "]"
	if strings.HasSuffix(name, "[files]") {
		name += "[]"
	}
	return name
}

// send sends a form to the operation that takes it.
func (v *visit) send(of string, form url.Values) []formError {
	c, path, prefix := *v.call, "/v1/accounts/"+v.account.id, ""
	switch {
	case strings.HasPrefix(of, "person_"):
		path, prefix = path+"/persons/"+of, of+"."
	case of != "":
		path, prefix = path+"/persons", of+"."
		form.Set("relationship["+strings.TrimSuffix(of, "s")+"]", "true")
	}
	err := c.prepareOwn("POST", path, form.Encode())
	switch {
	case err != nil:
	case of == "":
		err = c.update(v.account, true)
	case strings.HasPrefix(of, "person_"):
		if r := c.find("person", of); r != nil {
			err = c.changePerson(r)
		}
	default:
		_, err = c.addPerson(v.account)
	}
	if err == nil {
		return nil
	}
	e := asAPIError(err)
	return []formError{{v.fieldOf(prefix, e.param), e.message}}
}

// fieldOf is the field of the form that a parameter was filled in as.
func (v *visit) fieldOf(prefix, param string) string {
	field := prefix + strings.NewReplacer("][", ".", "[", ".", "]", "").Replace(param)
	for part, whole := range withBirth {
		if strings.HasSuffix(field, part) {
			field = strings.TrimSuffix(field, part) + whole
		}
	}
	field = strings.TrimSuffix(field, ".front")
	if rest, of := strings.CutPrefix(field, "individual."); of && v.account.text("business_type") == "" {
		return "representative." + rest
	}
	return field
}

// saveBank adds the bank account that was filled in.
func (v *visit) saveBank(asked []string, in *filledIn) []formError {
	number := in.text["external_account"]
	if number == "" || !slices.Contains(asked, "external_account") {
		return nil
	}
	s := v.standing()
	form := url.Values{"external_account[object]": {"bank_account"}, "external_account[country]": {s.Country}, "external_account[currency]": {s.Currency}, "external_account[account_number]": {number}}
	if routing := in.text["external_account.routing_number"]; routing != "" {
		form.Set("external_account[routing_number]", routing)
	}
	if holder := in.text["external_account.account_holder_name"]; holder != "" {
		form.Set("external_account[account_holder_name]", holder)
	}
	c := *v.call
	err := c.prepareOwn("POST", "/v1/accounts/"+v.account.id+"/external_accounts", form.Encode())
	if err == nil {
		_, err = c.addExternal()
	}
	if err != nil {
		return []formError{{"external_account", asAPIError(err).message}}
	}
	return nil
}
