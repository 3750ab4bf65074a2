package console

import (
	"net/http"
	"slices"
	"time"
)

// route is a route in words, as the API shows it.
type route struct {
	Name          string   `json:"name"`
	Hosts         []string `json:"hosts"`
	Path          string   `json:"path"`
	Methods       []string `json:"methods"`
	Upstream      string   `json:"upstream"`
	Mode          string   `json:"mode"`
	Scopes        []string `json:"scopes"`
	Audiences     []string `json:"audiences"`
	TokenFrom     []string `json:"token_from"`
	OnUnavailable string   `json:"on_unavailable"`
	MaxStale      string   `json:"max_stale"`
	ReportOnly    bool     `json:"report_only"`
	WebSocket     bool     `json:"websocket"`
	Rate          string   `json:"rate"`
	Timeout       string   `json:"timeout"`
}

// found is what becomes of a request before its token is looked at.
type found struct {
	Status int    `json:"status"`
	Why    string `json:"why"`
	Route  *route `json:"route"`
}

type target struct {
	Upstream  string     `json:"upstream"`
	URL       string     `json:"url"`
	Healthy   bool       `json:"healthy"`
	Ejected   *time.Time `json:"ejected_until"`
	InFlight  int        `json:"in_flight"`
	Failures  int        `json:"failures"`
	LastError string     `json:"last_error"`
	LastCheck *time.Time `json:"last_check"`
}

type routesData struct {
	Items   []route
	Targets []target
	Method  string
	URL     string
	Methods []string
	Found   *found
	Fault   string
}

func listRoutes(v *visit) error {
	d := &routesData{Method: v.field("method"), URL: v.field("url"), Methods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}}
	if !slices.Contains(d.Methods, d.Method) {
		d.Method = http.MethodGet
	}
	var all list[route]
	if err := v.call(http.MethodGet, endpoint("routes"), nil, &all); err != nil {
		return err
	}
	var targets list[target]
	if err := v.call(http.MethodGet, endpoint("upstreams"), nil, &targets); isOver(err) {
		return err
	}
	d.Items, d.Targets = all.Items, targets.Items
	same := twin{Command: "tollgate routes list", Curl: v.curl(http.MethodGet, endpoint("routes"), "")}
	if d.URL != "" {
		body := map[string]string{"method": d.Method, "url": d.URL}
		var answer found
		switch err := v.call(http.MethodPost, endpoint("routes", "check"), body, &answer); {
		case err == nil:
			d.Found = &answer
		case isOver(err):
			return err
		default:
			d.Fault = err.Error()
		}
		same = twin{
			Command: "tollgate routes check " + d.Method + " " + quote(d.URL),
			Curl:    v.curl(http.MethodPost, endpoint("routes", "check"), asJSON(body)),
		}
	}
	return v.show("routes", http.StatusOK, &page{Title: "Routes", Nav: "/routes", Data: d, Twin: same})
}

func reloadRoutes(v *visit) error {
	if err := v.call(http.MethodPost, endpoint("routes", "reload"), nil, nil); err != nil {
		return v.back("/routes", err)
	}
	return v.done("/routes", "Routes and trusted issuers were read anew.")
}
