package problem

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// ContentType is the media type of RFC 9457 section 6.1.
const ContentType = "application/problem+json"

// Details is one problem as in RFC 9457 section 3. Everything in it reaches the
// client: never put an error of a library, an address or a secret into it.
type Details struct {
	// Type is a URI that names the kind of problem. Empty means "about:blank":
	// nothing beyond the status (RFC 9457 section 4.2.1).
	Type string `json:"type"`
	// Title is the kind of problem in words that do not change from one
	// occurrence to the next. Empty means the status's own phrase.
	Title string `json:"title"`
	// Status is the HTTP status. Anything outside 400 to 599 becomes 500: a
	// problem is never a success.
	Status int `json:"status"`
	// Detail explains this occurrence to a human being. Empty is left out.
	Detail string `json:"detail,omitempty"`
	// Code is the machine's word for the problem, an extension member. Empty is
	// left out.
	Code string `json:"code,omitempty"`
	// Errors lists the single faults of a request body. Empty is left out.
	Errors []FieldError `json:"errors,omitempty"`
}

// FieldError is one fault in a request body.
type FieldError struct {
	// Pointer is a JSON Pointer (RFC 6901) to the member at fault, such as
	// "/expires_at". Empty means the body as a whole.
	Pointer string `json:"pointer,omitempty"`
	// Detail says what is wrong with it.
	Detail string `json:"detail"`
}

// Write answers the request with the problem. Headers that are set already stay
// (Retry-After, Allow), but for those that would describe another body. The
// answer is no-store: a problem is about one request.
func Write(w http.ResponseWriter, d Details) {
	if d.Status < 400 || d.Status > 599 {
		d.Status = http.StatusInternalServerError
	}
	if d.Type == "" {
		d.Type = "about:blank"
	}
	if d.Title == "" {
		d.Title = title(d.Status)
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(d) // a struct of strings and one int always encodes

	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
		h.Del(name)
	}
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(d.Status)
	_, _ = w.Write(body.Bytes()) // a client that went away is nobody's fault here
}

func title(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "Error"
}

// Error makes a problem an error, so that a handler can return it. The text is
// the detail, which a client may see.
func (d *Details) Error() string { return d.Detail }
