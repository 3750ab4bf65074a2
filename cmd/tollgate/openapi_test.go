package main

import (
	"io"
	"net/http"
	"strings"
	"sync"

	"tollgate/internal/testkit/contract"
	"tollgate/issuer/admin"
)

var adminDocument = sync.OnceValues(func() (*contract.Document, error) { return contract.Load(admin.OpenAPI()) })

// wantDescribed compares what goes to and from the admin API of the real program with
// its document.
func (s *system) wantDescribed(req *http.Request, res *http.Response, answer string) {
	s.tb.Helper()
	if !strings.HasPrefix(req.URL.String(), s.Admin+"/admin/v1/") {
		return
	}
	var body []byte
	if req.GetBody != nil {
		again, err := req.GetBody()
		if err == nil {
			body, err = io.ReadAll(again)
		}
		if err != nil {
			s.tb.Error(err)
			return
		}
	}
	doc, err := adminDocument()
	if err != nil {
		s.tb.Error(err)
		return
	}
	for _, fault := range doc.Faults(contract.Exchange{
		Method: req.Method, Target: req.URL.RequestURI(), Header: req.Header, Body: string(body), Status: res.StatusCode, AnswerHeader: res.Header, Answer: answer,
	}) {
		s.tb.Errorf("%s %s is not as openapi.yaml says: %s\n%d %s", req.Method, req.URL.Path, fault, res.StatusCode, answer)
	}
}
