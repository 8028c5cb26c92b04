package launch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// watchEnd says in the log which ranks of this host have ended, and which have not, where the launcher does
// not end. A rank may wait in MPI_Finalize for ever. It is called when a rank has ended with 0. Only the
// first call counts.
func (h *Host) watchEnd() {
	h.mu.Lock()
	watched := h.endWatched
	h.endWatched = true
	h.mu.Unlock()
	if watched {
		return
	}
	h.work.Go(func() {
		if h.awaitOver(endReport) || h.context().Err() != nil || h.knowledge(true).ending {
			return
		}
		h.mu.Lock()
		ranks := slices.Clone(h.ranks)
		h.mu.Unlock()
		h.log.Warn().Msg(endText(ranks))
	})
}

// endText says which ranks have ended.
func endText(ranks []Rank) string {
	var ended, others []int
	for _, r := range ranks {
		select {
		case <-r.Done():
			ended = append(ended, r.Number())
		default:
			others = append(others, r.Number())
		}
	}
	if len(others) == 0 {
		return fmt.Sprintf("%s of this host ended %s ago, and the launcher goes on: it waits for other hosts",
			listRanks(ended), endReport)
	}
	return fmt.Sprintf("%s of this host ended %s ago, and %s not: it may wait in MPI_Finalize for ever",
		listRanks(ended), endReport, listRanks(others))
}

// listRanks names ranks in their order.
func listRanks(numbers []int) string {
	const named = 16
	slices.Sort(numbers)
	texts := make([]string, 0, named)
	for _, n := range numbers[:min(len(numbers), named)] {
		texts = append(texts, strconv.Itoa(n))
	}
	text := "rank " + strings.Join(texts, ", ")
	if len(numbers) > named {
		text += fmt.Sprintf(" and %d others", len(numbers)-named)
	}
	return text
}
