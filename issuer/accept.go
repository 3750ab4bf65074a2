package issuer

import (
	"net/http"
	"slices"
	"strings"
)

// acceptable reports whether the client takes what a row has to give. Like Django
// REST framework it compares media types alone, without their weights, and takes
// a request for a page as one for JSON: a browser is answered, not turned away.
func acceptable(h http.Header) bool {
	accept := strings.TrimSpace(strings.Join(h.Values("Accept"), ","))
	if accept == "" {
		return true
	}
	for member := range strings.SplitSeq(accept, ",") {
		mediaType, _, _ := strings.Cut(member, ";")
		if slices.Contains(served(), strings.ToLower(strings.TrimSpace(mediaType))) {
			return true
		}
	}
	return false
}

// served are the media ranges that JSON satisfies, and those of a page.
func served() []string {
	return []string{"application/json", "application/*", "*/*", "text/html", "text/*"}
}

// notAcceptable is the answer to a client that asks for another format.
func notAcceptable() *fault {
	return &fault{status: http.StatusNotAcceptable, detail: "media type of the answer",
		body: map[string]string{"detail": "Could not satisfy the request Accept header."}}
}
