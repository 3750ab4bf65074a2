package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// TestStopWithWaits: who waits for a line of the audit log, or for an edge that hangs, is
// answered when the process stops. Had he not heard of it, his request would be cut: the
// process waits for it for less time than he would.
func TestStopWithWaits(t *testing.T) {
	s := mustSystem(t, "TOLLGATE_SHUTDOWN_TIMEOUT=8s")
	bearer := []string{"Authorization", "Bearer " + rootToken}
	var start auditPage
	if err := json.Unmarshal([]byte(s.mustSend(http.MethodGet, s.Admin+"/admin/v1/audit?after=now", nil, bearer...).Body), &start); err != nil {
		t.Fatal(err)
	}
	type told struct {
		reply reply
		err   error
	}
	answers := make(chan told, 8)
	for range cap(answers) {
		go func() {
			r, err := s.send(http.MethodGet, s.Admin+"/admin/v1/audit?actor=nobody&wait=20s&after="+url.QueryEscape(start.Next), nil, bearer...)
			answers <- told{r, err}
		}()
	}
	time.Sleep(time.Second) // they wait by now; should one not, it is answered all the same
	s.stop()
	for range cap(answers) {
		got := <-answers
		var p auditPage
		if got.err != nil || got.reply.Status != http.StatusOK || json.Unmarshal([]byte(got.reply.Body), &p) != nil || len(p.Items) != 0 || p.Next != start.Next {
			t.Errorf("%v %+v", got.err, got.reply)
		}
	}
}
