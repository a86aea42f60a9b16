// Growing a goroutine's stack: what Go's newstack and copystack cost, one growth at a time.
//
// Goroutines are made for each growth, and begin with 2 KiB. They descend in small steps; at every step a leaf with a larger
// frame than a step's is called and timed. When a stack is full, that leaf is where it grows, which shows in the
// address of the outermost variable: it has moved.
package main

import (
	"runtime/debug"
	"sort"
	"syscall"
	"time"
	"unsafe"
)

func init() {
	operations["growth"] = growth
	operations["boundary"] = boundary
}

const firstStack = 2048

// What one goroutine is to do and what it saw. Goroutines run one after the other.
type descent struct {
	wanted int // which growth is wanted: 0 is the one from 2 KiB to 4 KiB

	root   uintptr // where the outermost variable was last seen
	growth int     // growths so far
	steps  int     // steps so far
	took   time.Duration
	again  time.Duration // the same leaf right afterwards, when there is room
	used   uintptr       // bytes of stack in use at the wanted growth
	stray  bool          // a growth happened elsewhere than in the leaf
	faults int64         // pages that the kernel supplied in the wanted growth

	hold chan struct{} // the goroutine, and so its stack, stays until this is closed; at once if nil

	calls int // instead of growing: call the leaf as often at step `stop`, timed together
	stop  int
}

var begin = time.Now()

var sink uint64

// A frame of half a KiB.
//
//go:noinline
func leaf(n uint64) uint64 {
	var room [64]uint64
	room[n&63] = n
	return room[(n+1)&63] + room[(n+2)&63]
}

var usage syscall.Rusage

// Page faults of this process so far. Without a frame that the stack could grow for.
//
//go:nosplit
func suppliedPages() int64 {
	syscall.RawSyscall(syscall.SYS_GETRUSAGE, syscall.RUSAGE_SELF, uintptr(unsafe.Pointer(&usage)), 0)
	return usage.Minflt
}

func address(variable *uint64) uintptr { return uintptr(unsafe.Pointer(variable)) }

// Calls the leaf and notes whether the stack grew in it. True when the wanted growth happened.
//
//go:noinline
func (d *descent) visit(root *uint64, own uintptr) bool {
	if d.calls > 0 {
		return d.loop()
	}
	if address(root) != d.root {
		d.stray = true
		d.root = address(root)
		d.growth++
	}
	used := address(root) - own
	faults := suppliedPages()
	first := time.Since(begin)
	sink += leaf(uint64(d.steps))
	second := time.Since(begin)
	d.steps++
	if address(root) == d.root {
		return false
	}
	d.root = address(root)
	d.growth++
	if d.growth <= d.wanted {
		return false
	}
	d.faults = suppliedPages() - faults
	third := time.Since(begin)
	sink += leaf(uint64(d.steps))
	fourth := time.Since(begin)
	d.took, d.again, d.used = second-first, fourth-third, used
	return true
}

// At the step where it is due: calls the leaf again and again.
func (d *descent) loop() bool {
	d.steps++
	if d.steps <= d.stop {
		return false
	}
	// The first one grows the stack where it is to.
	sink += leaf(0)
	first := time.Since(begin)
	for i := 0; i < d.calls; i++ {
		sink += leaf(uint64(i))
	}
	d.took = time.Since(begin) - first
	return true
}

// Steps whose frames hold numbers.
//
//go:noinline
func (d *descent) numbers(root *uint64) uint64 {
	var own [16]uint64
	own[d.steps&15] = uint64(d.steps)
	if d.visit(root, address(&own[0])) {
		return own[0]
	}
	return d.numbers(root) + own[d.steps&15]
}

// Steps of the same size whose frames hold pointers into the stack.
//
//go:noinline
func (d *descent) pointers(root *uint64) uint64 {
	var own [16]*uint64
	for i := range own {
		own[i] = root
	}
	if d.visit(root, uintptr(unsafe.Pointer(&own))) {
		return *own[0]
	}
	return d.pointers(root) + *own[d.steps&15]
}

func (d *descent) run(pointers bool) *descent {
	done := make(chan struct{})
	go func() {
		var root uint64
		d.root = address(&root)
		if pointers {
			sink += d.pointers(&root)
		} else {
			sink += d.numbers(&root)
		}
		close(done)
		if d.hold != nil {
			<-d.hold
		}
	}()
	<-done
	return d
}

// The growth of a stack of argument[0] bytes to twice that, count times; argument[1] is 1 for frames full of pointers,
// argument[2] is 1 for stacks in fresh memory: what is free is given back to the kernel before, and no stack is used twice.
// Answers with count times the median of the time beyond that of a leaf with room, the bytes in use at the last growth, the
// number of growths that happened elsewhere than they should, the number of steps above the last growth, and the pages that
// the kernel supplied in these growths. The median, because the scheduler takes its turn in some of them; in fresh memory the
// sum, because one growth in several gets the pages of all these.
func growth(count int, arguments []int) []int64 {
	wanted := 0
	for size := firstStack; size < arguments[0]; size *= 2 {
		wanted++
	}
	var used, strays, steps, faults int64
	var took []int
	var hold chan struct{}
	var sum int64
	unseen := 0
	if arguments[2] == 1 {
		unseen = leftStacks
		// Not two MiB at once.
		syscall.RawSyscall(syscall.SYS_PRCTL, setTransparentHugePagesOff, 1, 0)
		debug.FreeOSMemory()
		hold = make(chan struct{})
		defer close(hold)
	}
	before := int64(0)
	for i := -unseen; i < count; i++ {
		if i == 0 {
			before = suppliedPages()
		}
		d := (&descent{wanted: wanted, hold: hold}).run(arguments[1] == 1)
		if i < 0 {
			continue
		}
		sum += int64(d.took - d.again)
		took = append(took, int(d.took-d.again))
		used, steps = int64(d.used), int64(d.steps)
		faults += d.faults
		if d.stray {
			strays++
		}
	}
	sort.Ints(took)
	total := int64(count * took[len(took)/2])
	if hold != nil {
		total, faults = sum, suppliedPages()-before
	}
	return []int64{total, used, strays, steps, faults}
}

// More than there are free stacks in spans that are in use, whose pages are not given back.
const leftStacks = 256

// PR_SET_THP_DISABLE of prctl(2).
const setTransparentHugePagesOff = 41

// Calls of a leaf in a loop, count loops of argument[1] calls each, so deep in a stack of argument[0] bytes that the leaf is the
// function that does not fit any more (argument[2] is 0), or as many steps further up (above 0) or down (below 0). A call before
// each loop is not timed: it is the one at which the stack may grow.
func boundary(count int, arguments []int) []int64 {
	wanted := 0
	for size := firstStack; size < arguments[0]; size *= 2 {
		wanted++
	}
	full := (&descent{wanted: wanted}).run(false).steps - 1
	var took int64
	for i := 0; i < count; i++ {
		took += int64((&descent{calls: arguments[1], stop: full - arguments[2]}).run(false).took)
	}
	return []int64{took}
}
