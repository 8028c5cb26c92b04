//go:build linux

package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"entrain/bootstrap/plan"
)

// planJSON is a plan for other programs. Its keys stay as they are.
func planJSON(p *plan.Plan) jsonObject {
	document := jsonObject{
		"role":    p.Role,
		"command": jsonObject{"argv": p.Command.Argv, "env": envJSON(p.Command.Env), "dir": p.Command.Dir},
		"files":   filesJSON(p.Files),
		"wait": jsonObject{
			"hosts":    append([]string{}, p.Wait.Hosts...),
			"timeout":  p.Wait.Timeout.String(),
			"dns_only": p.Wait.DNSOnly,
		},
		"end": jsonObject{
			"grace":               p.End.Grace.String(),
			"signal_group":        p.End.SignalGroup,
			"capture":             !p.End.NoCapture,
			"parent_death_signal": p.End.ParentDeath,
		},
		"rendezvous": rendezvousJSON(p),
		"failure":    p.Failure,
		"notes":      slices.Concat([]string{}, p.Notes, p.Remarks),
	}
	if p.Launch != nil {
		document["launch"] = launchJSON(p)
	}
	if s := p.Source; s != nil {
		document["source"] = jsonObject{
			"archive": s.Archive, "dir": s.Dir,
			"max_mb": s.Limits.MB, "max_files": s.Limits.Files, "max_ratio": s.Limits.Ratio,
		}
	}
	if len(p.Install) > 0 {
		document["install"] = p.Install
	}
	if p.Stdin != nil {
		document["stdin"] = streamJSON(p.Stdin)
	}
	if p.Feeds != nil {
		feeds := make([]jsonObject, len(p.Feeds))
		for i, s := range p.Feeds {
			feeds[i] = streamJSON(s)
			feeds[i]["fifo"] = s.FIFO
		}
		document["feeds"] = feeds
	}
	return document
}

// envJSON holds the first of equal names, as getenv(3) does.
func envJSON(env []string) jsonObject {
	object := jsonObject{}
	for _, kv := range env {
		if name, value, ok := strings.Cut(kv, "="); ok && object[name] == nil {
			object[name] = value
		}
	}
	return object
}

func filesJSON(files []plan.File) []jsonObject {
	list := []jsonObject{} // [] instead of null
	for _, f := range files {
		list = append(list, jsonObject{"path": f.Path, "mode": fmt.Sprintf("%04o", f.Mode), "data": string(f.Data)})
	}
	return list
}

// rendezvousJSON is nil for a host that meets no other one. In it, later names the variables that the trainer
// gets beside those of command, once the hosts have met.
func rendezvousJSON(p *plan.Plan) any {
	m := p.Rendezvous
	if m == nil {
		return nil
	}
	return jsonObject{
		"leader":          m.Hosts[0],
		"host":            m.Host,
		"port":            m.Port,
		"interface":       m.Interface,
		"slots":           m.Slots,
		"key":             m.Key.Given,
		"later":           append([]string{}, p.Later()...),
		"peer_timeout":    m.PeerTimeout.String(),
		"on_peer_failure": wordFor(m.Ignore, "stop", "ignore"),
	}
}

func launchJSON(p *plan.Plan) jsonObject {
	l := p.Launch
	hosts := []jsonObject{}
	for _, h := range l.Hosts {
		hosts = append(hosts, jsonObject{"name": h.Name, "slots": h.Slots})
	}
	if l.Own {
		return jsonObject{
			"launcher": plan.LauncherRanks, "dir": l.Dir, "hosts": hosts, "ranks": p.Together.Slots,
			"argv": append([]string{}, l.Trainer...),
		}
	}
	hostfile, _ := l.HostfileText() // an error would have come when the plan was made
	return jsonObject{
		"launcher": l.Launcher.Family,
		"version":  l.Launcher.Version,
		"program":  l.Program,
		"agent":    l.Agent,
		"dir":      l.Dir,
		"timeout":  optionalDuration(l.Timeout),
		"hosts":    hosts,
		"hostfile": hostfile,
		"argv":     append([]string{}, l.Argv()...),
	}
}

// optionalDuration is a bound on the time; nil where there is none.
func optionalDuration(d time.Duration) any {
	if d == 0 {
		return nil
	}
	return d.String()
}

func streamJSON(s *plan.Stream) jsonObject {
	return jsonObject{
		"channel":        s.Channel,
		"prefix":         s.Prefix,
		"first_epoch":    s.First,
		"epochs":         s.Epochs,
		"fifo_timeout":   s.Timeout.String(),
		"stream_timeout": optionalDuration(s.StallTimeout),
		"decode":         s.Decode,
		"encode":         s.Encode,
		"form":           s.Form,
		"joint":          s.Joint,
		"max_record":     s.MaxRecord,
	}
}
