package peers

import (
	"errors"
	"time"

	"entrain/bootstrap/plan"
	"entrain/hostwait/rendezvous"
)

// parseKey reads the cluster key, if one is given. The error is a *plan.UsageError.
func parseKey(k plan.Key) (rendezvous.Key, error) {
	if !k.Given {
		return rendezvous.Key{}, nil
	}
	key, err := rendezvous.ParseKey(k.Text())
	if err != nil {
		return key, &plan.UsageError{Err: errors.New("the cluster key in " + k.From + ": " + err.Error())}
	}
	return key, nil
}

// tellKey logs how the hosts know each other.
func (h Process) tellKey(k plan.Key) {
	if k.Given {
		h.Log.Info().Msg("the hosts know each other by the cluster key in " + k.From)
		return
	}
	h.Log.Info().Msg("there is no cluster key: the hosts know each other by their addresses alone")
}

// failWithoutKey tells the other hosts that this host cannot join, since its cluster key cannot be used. It
// returns err, or another host's failure if that came first.
func (h Process) failWithoutKey(p *plan.Plan, c rendezvous.Config, err error) error {
	c.Digests = rendezvous.Digests{} // a difference between the hosts is not the reason of this failure
	session, openErr := rendezvous.Open(c)
	if openErr != nil {
		return err
	}
	others := &Peers{
		Session: session, Process: h, plan: p.Rendezvous, verb: c.Mode, mask: p.Mask, joined: time.Now(),
	}
	return others.Leave(err)
}
