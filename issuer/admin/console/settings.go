package console

import "net/http"

// setting is a variable with the value that is in force, a secret masked.
type setting struct {
	Name   string `json:"name"`
	Group  string `json:"group"`
	Value  string `json:"value"`
	Source string `json:"source"`
	Secret bool   `json:"secret"`
	Note   string `json:"note"`
}

type group struct {
	Name  string
	Items []setting
}

type settingsData struct {
	Groups  []group
	Changed bool // without what has its default
}

func showSettings(v *visit) error {
	var found list[setting]
	if err := v.call(http.MethodGet, endpoint("settings"), nil, &found); err != nil {
		return err
	}
	d := settingsData{Changed: v.field("changed") != ""}
	for _, s := range found.Items {
		if d.Changed && s.Source == "default" && s.Note == "" {
			continue
		}
		if n := len(d.Groups); n == 0 || d.Groups[n-1].Name != s.Group {
			d.Groups = append(d.Groups, group{Name: s.Group})
		}
		last := &d.Groups[len(d.Groups)-1]
		last.Items = append(last.Items, s)
	}
	return v.show("settings", http.StatusOK, &page{Title: "Settings", Nav: "/settings", Data: d, Twin: twin{
		Command: "tollgate config print # in the environment of the process", Curl: v.curl(http.MethodGet, endpoint("settings"), ""),
	}})
}
