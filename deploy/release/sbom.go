package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The part of CycloneDX 1.6 that is written (https://cyclonedx.org/docs/1.6/json/).
type (
	bom struct {
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Serial       string       `json:"serialNumber"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		PURL       string     `json:"purl"`
		Hashes     []hash     `json:"hashes,omitempty"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	}
)

// bom lists what a built program is made of, by what the compiler wrote into it:
// what was linked, not what a go.mod asks for.
func (r *release) bom(path string, program []byte) ([]byte, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("build info: %w", err)
	}
	sum := sha256.Sum256(program)
	own := component{
		Type: "application", Name: info.Main.Path, Version: r.version, PURL: purl(info.Main.Path, r.version),
		Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}},
	}
	own.Ref = own.PURL
	for _, s := range info.Settings {
		if slices.Contains([]string{"GOOS", "GOARCH", "CGO_ENABLED", "-trimpath", "-pgo"}, s.Key) {
			own.Properties = append(own.Properties, property{"go:build:" + s.Key, s.Value})
		}
	}
	out := bom{
		Format: "CycloneDX", Spec: "1.6", Serial: serial(sum), Version: 1,
		Metadata: metadata{Timestamp: r.date.Format(time.RFC3339), Component: own},
	}
	out.add("stdlib", strings.TrimPrefix(info.GoVersion, "go"), "")
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		out.add(m.Path, m.Version, m.Sum)
	}
	needs := dependency{Ref: own.Ref}
	for _, c := range out.Components {
		needs.DependsOn = append(needs.DependsOn, c.Ref)
	}
	out.Dependencies = []dependency{needs}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(out)
	return text.Bytes(), err
}

// add appends a module. Its sum is Go's (a hash of hashes of files), which
// CycloneDX has no name for.
func (b *bom) add(path, version, sum string) {
	c := component{Type: "library", Name: path, Version: version, PURL: purl(path, version)}
	c.Ref = c.PURL
	if sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	b.Components = append(b.Components, c)
}

// purl names a module (https://github.com/package-url/purl-spec).
func purl(path, version string) string {
	return "pkg:golang/" + path + "@" + url.QueryEscape(version)
}

// serial is a UUID that is made of the program's hash: a version 8 of RFC 9562.
func serial(sum [32]byte) string {
	u := sum[:16]
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}
