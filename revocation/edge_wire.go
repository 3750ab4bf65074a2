package revocation

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed lua/edge.lua
	edgeLua string
	//go:embed lua/edge_report.lua
	edgeReportLua string
	//go:embed lua/edge_leave.lua
	edgeLeaveLua string
	//go:embed lua/edge_list.lua
	edgeListLua string
	//go:embed lua/edge_count.lua
	edgeCountLua string
)

type edgeScripts struct{ report, leave, list, count *redis.Script }

func newEdgeScripts() edgeScripts {
	return edgeScripts{
		report: redis.NewScript(clockLua + recordLua + edgeLua + edgeReportLua),
		leave:  redis.NewScript(edgeLeaveLua),
		list:   redis.NewScript(clockLua + edgeLua + edgeListLua),
		count:  redis.NewScript(clockLua + edgeLua + edgeCountLua),
	}
}

// args are those of edge_report.lua that the report gives.
func (e EdgeReport) args() []any {
	n := e.N
	if e.Epoch == "" {
		n = 0 // of nothing that anybody could compare it with
	}
	return []any{
		edgeText(e.Epoch), n, e.Nonce, streamID(e.ID), "stale", max(e.Stale, 0).Microseconds(),
		"entries", max(e.Entries, 0), "keys", edgeText(e.KeySet), "routes", edgeText(e.Routes),
	}
}

// parseEdges reads the reply of edge_list.lua about the edges of these names. more
// are the names in the set that were not asked for.
func parseEdges(reply any, asked []string) (list []Edge, more []string, err error) {
	const head = 4
	all, ok := reply.([]any)
	if !ok || len(all) != head+len(asked) {
		return nil, nil, errReply
	}
	front, err := texts(all[:head-1])
	if err != nil {
		return nil, nil, err
	}
	now, err := number(front[0])
	if err != nil {
		return nil, nil, err
	}
	n, err := number(front[2])
	if err != nil {
		return nil, nil, err
	}
	until, err := parseSet(all[head-1])
	if err != nil {
		return nil, nil, err
	}
	for i, name := range asked {
		end, there := until[name]
		delete(until, name)
		e, err := parseEdge(name, all[head+i])
		if err != nil {
			return nil, nil, err
		}
		if !there { // it has left since its name was read
			continue
		}
		e.Live = end > now
		e.Lag = uint64(n)
		if e.Epoch != "" && e.Epoch == front[1] {
			e.Lag -= min(e.N, e.Lag)
		}
		list = append(list, e)
	}
	for name := range until {
		more = append(more, name)
	}
	return list, more, nil
}

// parseSet reads a flat list of names and the store times until which they are live.
func parseSet(v any) (map[string]int64, error) {
	flat, err := texts(v)
	if err != nil || len(flat)%2 != 0 {
		return nil, errReply
	}
	set := make(map[string]int64, len(flat)/2)
	for i := 0; i < len(flat); i += 2 {
		if set[flat[i]], err = number(flat[i+1]); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// parseEdge reads an edge's hash. Of one that is gone only the name is known.
func parseEdge(name string, v any) (Edge, error) {
	flat, err := texts(v)
	if err != nil || len(flat)%2 != 0 {
		return Edge{}, fmt.Errorf("edge: %w", errReply)
	}
	e := Edge{Name: name}
	var nums [6]int64
	for i := 0; i < len(flat); i += 2 {
		var to *int64
		switch field, value := flat[i], flat[i+1]; field {
		case "version":
			e.Version = value
		case "epoch":
			e.Epoch = value
		case "keys":
			e.KeySet = value
		case "routes":
			e.Routes = value
		case "since":
			to = &nums[0]
		case "heard":
			to = &nums[1]
		case "n":
			to = &nums[2]
		case "stale":
			to = &nums[3]
		case "entries":
			to = &nums[4]
		case "closes":
			to = &nums[5]
		}
		if to == nil {
			continue
		}
		if *to, err = number(flat[i+1]); err != nil {
			return Edge{}, fmt.Errorf("edge: %w", err)
		}
	}
	if nums[1] != 0 {
		e.Since, e.Heard = time.UnixMicro(nums[0]).UTC(), time.UnixMicro(nums[1]).UTC()
	}
	e.N, e.Entries = uint64(nums[2]), int(nums[4])
	e.Stale, e.ClosesAfter = time.Duration(nums[3])*time.Microsecond, time.Duration(nums[5])*time.Microsecond
	return e, nil
}
