package session

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What a record keeps of its spent refresh tokens: 70 bytes for each whose client has not
// changed.
const (
	maxSpent        = 8
	maxRefreshAgent = 100
	betweenTokens   = "\x1e"
	betweenFields   = "\x1f"
)

// lineOf reads a record's line of refresh tokens, the newest first.
func lineOf(fields map[string]string, s *Session) ([]Refreshed, error) {
	if s.Generation == 0 {
		return nil, nil
	}
	now := []string{fields["rj"], fields["ri"], "0"}
	from := strings.Split(fields["from"], betweenFields)
	switch {
	case len(from) == 3 && from[0] == fields["gen"]:
		now = append(now, from...)
	case s.Generation == 1:
		now = append(now, fields["gen"], "=", "=")
	default: // a version that keeps no line has rotated it
		now = append(now, fields["gen"], "~", "~")
	}
	all := [][]string{now}
	if line := fields["line"]; line != "" {
		spent := strings.Split(line, betweenTokens)
		slices.Reverse(spent)
		for _, one := range spent {
			all = append(all, strings.Split(one, betweenFields))
		}
	}
	var out []Refreshed
	for _, parts := range all {
		one, err := refreshedOf(parts, s)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// refreshedOf reads jti, iat, the moment it was spent, generation, address and agent.
func refreshedOf(parts []string, s *Session) (Refreshed, error) {
	if len(parts) != 6 {
		return Refreshed{}, fmt.Errorf("line: %d parts", len(parts))
	}
	var n [4]int64
	for i := 1; i <= 3; i++ {
		var err error
		if n[i], err = strconv.ParseInt(parts[i], 10, 64); err != nil {
			return Refreshed{}, fmt.Errorf("line: %w", err)
		}
	}
	return Refreshed{
		Generation: n[3], JTI: parts[0], IssuedAt: moment(n[1]), SpentAt: moment(n[2]),
		Address: asAtLogin(parts[4], s.Address), Agent: asAtLogin(parts[5], s.Agent),
	}, nil
}

func asAtLogin(text, first string) string {
	if text == "=" {
		return first
	}
	return strings.TrimPrefix(text, "~")
}
