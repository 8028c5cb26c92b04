package bootstrap

import (
	"context"

	"entrain/bootstrap/plan"
	"entrain/bootstrap/world"
	"entrain/contract"
	"entrain/source"
)

// Bring unpacks the job's code. It returns what was inspected before, with the code as it is now: Plan then
// makes the plan that is carried out. A signal that means the end ends the work.
func (d *Doer) Bring(in *Inspection, s *plan.Source, o plan.Options) (*Inspection, error) {
	end := d.log.Phase("code")
	paths := make(chan map[string]contract.Entry, 1)
	err := d.listen(func(ctx context.Context) error {
		limits := source.Limits{
			Bytes: int64(s.Limits.MB) << 20, Count: s.Limits.Files, Ratio: int64(s.Limits.Ratio),
		}
		if err := source.Unpack(ctx, s.Archive, s.Dir, limits); err != nil {
			return err
		}
		paths <- world.PhotographCode(contract.CodePaths(in.Job, in.Snapshot), func(string) {})
		return nil
	})
	if err != nil {
		return in, err
	}
	d.log.Unpacked(s)
	end()
	snap := *in.Snapshot
	snap.Paths, snap.Unpacked = <-paths, true
	brought := *in
	brought.Snapshot, brought.Problems = &snap, plan.Check(in.Job, &snap, o)
	return &brought, nil
}
