package proc

import (
	"runtime"
	"slices"
	"testing"
)

// The memory that it takes to find all processes below one grows with their number, not with its square.
func TestManyProcessesCostLittleEach(t *testing.T) {
	const many, bytesEach = 30_000, 100
	for shape, parentOf := range map[string]func(pid int) int{
		"all children of one":  func(int) int { return 1 },
		"each a child of last": func(pid int) int { return pid - 1 },
		"two children each":    func(pid int) int { return pid / 2 },
		"a hundred each":       func(pid int) int { return max(1, pid/100) },
	} {
		t.Run(shape, func(t *testing.T) {
			children := map[int][]int{}
			for pid := 2; pid < 2+many; pid++ {
				children[parentOf(pid)] = append(children[parentOf(pid)], pid)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			found := allBelow(1, children)
			runtime.ReadMemStats(&after)
			if each := (after.TotalAlloc - before.TotalAlloc) / many; each > bytesEach {
				t.Errorf("it takes %d bytes for each process, expected at most %d", each, bytesEach)
			}
			place := make([]int, 2+many)
			for i, pid := range found {
				place[pid] = i + 1
			}
			slices.Sort(found)
			if len(slices.Compact(found)) != many {
				t.Errorf("it finds %d processes, expected %d", len(found), many)
			}
			for pid := 2; pid < 2+many; pid++ {
				if place[pid] <= place[parentOf(pid)] {
					t.Fatalf("%d comes before its parent %d", pid, parentOf(pid))
				}
			}
		})
	}
}
