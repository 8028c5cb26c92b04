package plan

import "errors"

// The values of Options.Until.
const (
	UntilAll    = "all"    // the job ends when the work of all hosts has ended
	UntilLeader = "leader" // it ends when that of the leader has ended with 0: the others serve until then
)

// Untils returns the values of Options.Until, the default first.
func Untils() []string { return []string{UntilAll, UntilLeader} }

// decideUntil says that the job ends with the leader's work, if the user wants that.
func (p *Plan) decideUntil(o Options) error {
	if o.Until != UntilLeader || len(p.Wait.Hosts) < 2 {
		return nil
	}
	if p.Rendezvous == nil {
		return &UsageError{Err: errors.New("--until leader: without the rendezvous no host hears of the leader's " +
			"end\nhint: leave --rendezvous off out")}
	}
	if p.Rendezvous.MPI {
		return nil // the launcher's end on the leader is the end of the job in any case
	}
	p.Rendezvous.UntilLeader = true
	p.Rendezvous.Digests["until"] = o.Until
	return nil
}
