package bootstrap

import (
	"entrain/bootstrap/output"
	"entrain/bootstrap/peers"
	"entrain/bootstrap/plan"
)

// meet fills in what is known once the hosts have met, and writes the hostfile. The hostfile lasts until
// forget is called. Most trainers read none, so it is an error only for a command that names it.
func (d *Doer) meet(p *plan.Plan, others *peers.Peers) (met *plan.Plan, forget func(), err error) {
	forget = func() {}
	if met, err = p.Meet(others.Slots()); err != nil || met.Hostfile == "" {
		return met, forget, err
	}
	remove, err := output.Fresh(met.Hostfile, met.HostfileText())
	switch {
	case err == nil:
		forget = remove
	case met.NeedsHostfile():
		return nil, forget, err
	case others != nil:
		d.log.Warn().Msgf("%v: a launcher that reads ENTRAIN_HOSTFILE will not find it", err)
	default:
		d.log.Debug().Msgf("%v", err)
	}
	return met, forget, nil
}
