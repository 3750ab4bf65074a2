package console

import (
	"net/http"
	"time"
)

// status is what the process that is asked says of itself.
type status struct {
	Instance string    `json:"instance"`
	Version  string    `json:"version"`
	Started  time.Time `json:"started_at"`
	Warnings []string  `json:"warnings"`
	Checks   []struct {
		Name  string `json:"name"`
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	} `json:"checks"`
	Mirror   *mirror  `json:"mirror"`
	Activity []sample `json:"activity"`
}

type mirror struct {
	Level   bool   `json:"level"`
	N       uint64 `json:"n"`
	Stale   string `json:"stale"`
	Entries int    `json:"entries"`
	Bytes   int    `json:"bytes"`
	Heard   uint64 `json:"heard"` // records that came while it was level
	Half    string `json:"p50"`
	Most    string `json:"p99"`
}

// sample is what was counted from the one before up to At.
type sample struct {
	At       time.Time         `json:"at"`
	Requests uint64            `json:"requests"`
	Denied   map[string]uint64 `json:"denied"`
}

// edge is a process that follows the revocations.
type edge struct {
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Live        bool      `json:"live"`
	N           uint64    `json:"n"`
	Epoch       string    `json:"epoch"`
	Lag         uint64    `json:"lag"`
	Stale       string    `json:"stale"`
	Entries     int       `json:"entries"`
	ClosesAfter string    `json:"closes_after"`
	Heard       time.Time `json:"heard"`
}

// State is the edge's state in a word.
func (e edge) State() string {
	switch {
	case !e.Live:
		return "silent"
	case e.Epoch == "":
		return "loading"
	case e.Lag > 0:
		return "behind"
	}
	return "level"
}

// lag is how old an edge's knowledge is, beside the age at which its routes close: ready
// to be drawn.
type lag struct {
	Share float64 // 0 to 100
	Late  bool
	Words string
}

// Drawn is the edge's lag; nil where that is not known, or its routes never close.
func (e edge) Drawn() *lag {
	stale, err := time.ParseDuration(e.Stale)
	closes, wrong := time.ParseDuration(e.ClosesAfter)
	if err != nil || wrong != nil || closes <= 0 || stale < 0 {
		return nil
	}
	share := 100 * float64(stale) / float64(closes)
	return &lag{Share: min(100, max(1, share)), Late: share >= 100, Words: age(e.Stale) + " of " + age(e.ClosesAfter) + ", after which its routes close"}
}

// overviewData is what the first page shows. What could not be asked for stands in
// Missing: the rest is shown all the same.
type overviewData struct {
	Status  *status
	Edges   []edge
	Ring    *ring
	Traffic *chart
	Lines   *timeline
	Missing []string
}

func overview(v *visit) error {
	if v.session == nil {
		return v.showLogin(http.StatusOK, "")
	}
	d := &overviewData{}
	var s status
	if err := d.note("The state of this process", v.call(http.MethodGet, endpoint("status"), nil, &s)); err != nil {
		return err
	} else if s.Instance != "" {
		d.Status, d.Traffic = &s, chartOf(s.Activity)
	}
	var edges list[edge]
	if err := d.note("Edges", v.call(http.MethodGet, endpoint("edges"), nil, &edges)); err != nil {
		return err
	}
	d.Edges = edges.Items
	var r ring
	if err := d.note("Keys", v.call(http.MethodGet, endpoint("keys"), nil, &r)); err != nil {
		return err
	} else if len(r.Items) > 0 {
		d.Ring, d.Lines = &r, timelineOf(r.Items, v.console.Now())
	}
	return v.show("overview", http.StatusOK, &page{
		Title: "Overview", Nav: "/", Data: d,
		Twin: twin{Command: "tollgate edges", Curl: v.curl(http.MethodGet, endpoint("edges"), "")},
	})
}

// note remembers what could not be had. Only a log-in that is over ends the page.
func (d *overviewData) note(what string, err error) error {
	switch {
	case err == nil || absent(err):
		return nil
	case isOver(err):
		return err
	}
	d.Missing = append(d.Missing, what+": "+err.Error())
	return nil
}
