package console

import (
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// parsePages reads every template beside the layout.
func parsePages(now func() time.Time) (map[string]*template.Template, error) {
	layout, err := template.New("layout").Funcs(functions(now)).ParseFS(files, "templates/layout.html")
	if err != nil {
		return nil, fmt.Errorf("read the layout: %w", err)
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("list the templates: %w", err)
	}
	out := map[string]*template.Template{}
	for _, name := range names {
		key := strings.TrimSuffix(path.Base(name), ".html")
		if key == "layout" {
			continue
		}
		t, err := layout.Clone()
		if err != nil {
			return nil, fmt.Errorf("copy the layout: %w", err)
		}
		if out[key], err = t.ParseFS(files, name); err != nil {
			return nil, fmt.Errorf("read template %s: %w", key, err)
		}
	}
	return out, nil
}

// asset serves the style and the icon. They are those of the program that runs, so
// that a page never has the style of another version.
func asset(v *visit) error {
	name := v.r.PathValue("name")
	data, err := fs.ReadFile(files, "assets/"+name) // which takes no ".."
	if err != nil {
		return &refusal{Status: http.StatusNotFound, Title: "Not Found", Detail: "There is no such file."}
	}
	kind := "text/css; charset=utf-8"
	if path.Ext(name) == ".svg" {
		kind = "image/svg+xml"
	}
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Cache-Control", "private, max-age=300")
	_, _ = v.w.Write(data)
	return nil
}
