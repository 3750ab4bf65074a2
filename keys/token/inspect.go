package token

// Inspection is what a string says of itself. Nothing of it was checked but its
// form: it chooses whom to ask and is shown to people, and nobody believes it.
type Inspection struct {
	Header, Claims []byte // JSON objects, as they were sent
	claims         object
}

// Inspect takes a token apart by the strict rules of Authenticate, without asking
// who made it. The error is a *Refusal.
func Inspect(raw string, maxBytes int) (*Inspection, error) {
	c, refusal := split(raw, maxBytes)
	if refusal != nil {
		return nil, refusal
	}
	if _, err := parseObject(c.header); err != nil {
		return nil, refuse(ReasonMalformed, "the header is not one strict JSON object")
	}
	claims, err := parseObject(c.payload)
	if err != nil {
		return nil, refuse(ReasonMalformed, "the claims are not one strict JSON object")
	}
	return &Inspection{Header: c.header, Claims: c.payload, claims: claims}, nil
}

// Text returns a claim that is a short string without control characters, "" for
// any other.
func (i *Inspection) Text(claim string) string {
	s, ok := stringIdentifier(i.claims, claim)
	if !ok {
		return ""
	}
	return s
}
