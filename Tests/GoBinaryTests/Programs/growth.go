// What concerns the growth of stacks by faults. What it prints is the same in each run of the original and of the copy.

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

func growth(mode string, size int) {
	switch mode {
	case "thresholds":
		thresholds()
	case "loops":
		loops(size)
	case "storm":
		storm(size)
	case "shrinking":
		shrinking(size)
	case "herd":
		fmt.Println("herd", herd(size))
	case "deep":
		deep(size)
	case "locked":
		locked(size)
	case "below":
		below()
	case "ignored":
		ignored()
	case "unguarded":
		unguarded()
	case "hash":
		fmt.Printf("hash %x\n", sha256.Sum256([]byte("of nothing much")))
	case "assembly":
		assembly()
	case "pinned":
		pinned(size)
	case "released":
		released(size)
	case "address-space":
		limitAddressSpace(size)
		fmt.Println("herd", herd(20000))
	case "address-space-deep":
		limitAddressSpace(size)
		deep(2 * size)
	case "denied":
		denied(size)
	default:
		fmt.Println("unknown mode", mode)
		os.Exit(64)
	}
}

//go:noinline
func small(depth int, places *[]uintptr) int {
	var local [1]uintptr
	*places = append(*places, uintptr(unsafe.Pointer(&local)))
	if depth > 0 {
		return small(depth-1, places) + int(local[0])
	}
	return int(local[0])
}

//go:noinline
func medium(depth int, places *[]uintptr) int {
	var local [60]uintptr
	*places = append(*places, uintptr(unsafe.Pointer(&local[depth%60])))
	if depth > 0 {
		return medium(depth-1, places) + int(local[(depth+1)%60])
	}
	return int(local[0])
}

//go:noinline
func broad(depth int, places *[]uintptr) int {
	var local [380]uintptr
	*places = append(*places, uintptr(unsafe.Pointer(&local[depth%60])))
	if depth > 0 {
		return broad(depth-1, places) + int(local[(depth+1)%60])
	}
	return int(local[0])
}

//go:noinline
func middle(depth int, places *[]uintptr) int {
	var local [20]uintptr
	*places = append(*places, uintptr(unsafe.Pointer(&local[depth%20])))
	if depth > 0 {
		return middle(depth-1, places) + int(local[(depth+1)%20])
	}
	return int(local[0])
}

// The depths in calls at which stacks of 4 KiB and more are too small, for frames of four sizes, which take each form of
// a check. Descents begin at every multiple of eight bytes within a frame, so that for one of them a call just fits and
// for another it just does not. Says at how many places they began.
func thresholds() {
	// A collection would shrink stacks.
	debug.SetGCPercent(-1)
	for _, descend := range []func(int, *[]uintptr) int{small, middle, medium, broad} {
		step, began := 8, map[uintptr]bool{}
		for shift := 0; 8*shift < step; shift++ {
			done := make(chan []int)
			go func(shift int) {
				var root uintptr
				var moves []int
				places := make([]uintptr, 0, 1000)
				// The original's first stack has 2 KiB; from here on both have 4.
				medium(2, &places)
				places = places[:0]
				shifted(shift, func() { descend(240, &places) })
				for index := 1; index < len(places); index++ {
					apart := int64(places[index-1] - places[index])
					if apart < 0 || apart > 8192 {
						moves = append(moves, index)
					} else {
						step = int(apart)
					}
				}
				began[uintptr(unsafe.Pointer(&root))-places[len(places)-1]] = true
				done <- moves
			}(shift)
			fmt.Println(shift, <-done)
		}
		fmt.Println("step", step, "places", len(began))
	}
}

// Calls body, for each shift eight bytes further down: of frames of 32 and 40 bytes.
func shifted(shift int, body func()) {
	wide := shift % 4
	narrower((shift+12-5*wide)/4, func() { wider(wide, 0, body) })
}

//go:noinline
func narrower(count int, body func()) int {
	if count == 0 {
		body()
		return 0
	}
	return narrower(count-1, body) + 1
}

//go:noinline
func wider(count, sum int, body func()) int {
	if count == 0 {
		body()
		return sum
	}
	return wider(count-1, sum+1, body) + 1
}

// Loops without calls at every eighth byte of 4 KiB of the smallest stacks, or at one of so many of these, of which each
// must let a collection happen: in a function with a check, and in one without that such a function calls. Says at how
// many places of a page they were.
func loops(step int) {
	for _, loop := range []func(*uintptr, *uint32, *uint32) int{checkedLoop, callerOfLoop} {
		places := map[uintptr]bool{}
		for shift := 0; shift < 512; shift += step {
			var stop, began uint32
			var place uintptr
			done := make(chan bool)
			go func(shift int) {
				places := make([]uintptr, 0, 10)
				// The original's first stack has 2 KiB; from here on both have 4.
				medium(2, &places)
				shifted(shift, func() { loop(&place, &began, &stop) })
				done <- true
			}(shift)
			for atomic.LoadUint32(&began) == 0 {
				runtime.Gosched()
			}
			runtime.GC()
			atomic.StoreUint32(&stop, 1)
			<-done
			places[place%4096] = true
		}
		fmt.Println("loops", len(places))
	}
}

// It would have no check if it called nothing.
//
//go:noinline
func checkedLoop(place *uintptr, began, stop *uint32) int {
	var local int
	if place == nil {
		return checkedLoop(new(uintptr), began, stop) + 1
	}
	*place = uintptr(unsafe.Pointer(&local))
	atomic.StoreUint32(began, 1)
	for atomic.LoadUint32(stop) == 0 {
	}
	return local
}

//go:noinline
func callerOfLoop(place *uintptr, began, stop *uint32) int {
	return uncheckedLoop(place, began, stop) + 1
}

// Small and without calls, so that it has no check. One that is marked nosplit would not be preempted at all.
//
//go:noinline
func uncheckedLoop(place *uintptr, began, stop *uint32) int {
	var local int
	*place = uintptr(unsafe.Pointer(&local))
	atomic.StoreUint32(began, 1)
	for atomic.LoadUint32(stop) == 0 {
	}
	return local
}

// Growth beside everything that looks at stacks: the profiler, dumps, panics, signals, collections that shrink.
func storm(rounds int) {
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err != nil {
		fmt.Println(err)
		os.Exit(65)
	}
	var stop uint32
	var others, workers sync.WaitGroup
	others.Add(3)
	go func() {
		defer others.Done()
		text := make([]byte, 1<<20)
		for atomic.LoadUint32(&stop) == 0 {
			runtime.Stack(text, true)
		}
	}()
	go func() {
		defer others.Done()
		for atomic.LoadUint32(&stop) == 0 {
			runtime.GC()
		}
	}()
	go func() {
		defer others.Done()
		for atomic.LoadUint32(&stop) == 0 {
			syscall.Kill(os.Getpid(), syscall.SIGURG)
			runtime.Gosched()
		}
	}()
	called := make(chan string)
	go func() { called <- foreign() }()
	sums := make([]uint64, 8)
	for worker := range sums {
		workers.Add(1)
		go func(worker int) {
			defer workers.Done()
			for round := 0; round < rounds; round++ {
				sums[worker] += descend(round*7%700, uint64(worker)) + uint64(recovered(round%90))
				done := make(chan uint64)
				go func() { done <- descend(round%300, uint64(round)) }()
				sums[worker] += <-done
			}
		}(worker)
	}
	workers.Wait()
	answer := <-called
	atomic.StoreUint32(&stop, 1)
	others.Wait()
	pprof.StopCPUProfile()
	fmt.Println("storm", sums, answer, profile.Len() > 0)
}

// Goroutines that were deep wait while collections halve their stacks, and go down again.
func shrinking(count int) {
	deep, wake := make(chan int), make(chan bool)
	for index := 0; index < count; index++ {
		go func() {
			deep <- int(descend(600, 1) & 0xff)
			<-wake
			deep <- int(descend(700, 2) & 0xff)
		}()
	}
	sum := 0
	for index := 0; index < count; index++ {
		sum += <-deep
	}
	for collection := 0; collection < 3; collection++ {
		runtime.GC()
	}
	close(wake)
	for index := 0; index < count; index++ {
		sum += <-deep
	}
	fmt.Println("shrinking", sum)
}

// A panic from far below passes through stacks that grew.
//
//go:noinline
func recovered(depth int) (result int) {
	defer func() {
		if reason := recover(); reason != nil {
			result = len(fmt.Sprint(reason)) + int(descend(depth, 1)&1)
		}
	}()
	return thrower(depth)
}

//go:noinline
func thrower(depth int) int {
	var local [20]int
	if depth == 0 {
		panic("from below")
	}
	local[depth%20] = depth
	return thrower(depth-1) + local[(depth+1)%20]
}

// So many goroutines that all grow their stacks before any may end.
func herd(count int) uint64 {
	var group, deep sync.WaitGroup
	group.Add(count)
	deep.Add(count)
	hold := make(chan bool)
	var sum uint64
	for index := 0; index < count; index++ {
		go func(index int) {
			value := descend(25, uint64(index))
			deep.Done()
			<-hold
			atomic.AddUint64(&sum, value)
			group.Done()
		}(index)
	}
	deep.Wait()
	close(hold)
	group.Wait()
	return sum
}

// A recursion that takes so many MiB.
func deep(size int) {
	debug.SetMaxStack(2 << 30)
	done := make(chan uint64)
	go func() { done <- descend(size<<20/160, 1) }()
	fmt.Println("deep", <-done)
}

// Memory that is locked takes no guard by MADV_GUARD_INSTALL, so that protections change, as before Linux 6.13.
func locked(count int) {
	if err := syscall.Mlockall(3); err != nil {
		fmt.Println("not allowed")
		os.Exit(75)
	}
	fmt.Println("locked", herd(count))
}

// Writes below the low end of a stack, which is a page.
func below() {
	done := make(chan bool)
	go func() {
		var local [8]byte
		place := uintptr(unsafe.Pointer(&local))&^4095 - 8
		fmt.Println("ready")
		*(*uint64)(*(*unsafe.Pointer)(unsafe.Pointer(&place))) = 1
		done <- true
	}()
	<-done
}

// Goroutines that do nothing but call each other, beside collections, where the signal by which Go preempts is ignored.
func ignored() {
	signal.Ignore(syscall.SIGURG)
	var stop uint32
	var group sync.WaitGroup
	for index := 0; index < 2*runtime.GOMAXPROCS(0); index++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for atomic.LoadUint32(&stop) == 0 {
				descend(3, 1)
			}
		}()
	}
	for round := 0; round < 3; round++ {
		runtime.GC()
	}
	atomic.StoreUint32(&stop, 1)
	group.Wait()
	fmt.Println("ignored", signal.Ignored(syscall.SIGURG))
}

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

// So many goroutines whose stacks grow while they may not be preempted, one after another. Meanwhile each is asked to
// stop about once in a microsecond, as a collection asks: by a number that checks compare with, in its record.
func pinned(count int) {
	const request = ^uintptr(1313) // stackPreempt
	var sum uint64
	for index := 0; index < count; index++ {
		var bound unsafe.Pointer
		var isOver uint32
		sums := make(chan uint64)
		end := make(chan bool)
		go func(index int) {
			procPin()
			atomic.StorePointer(&bound, unsafe.Pointer(&record()[2]))
			for atomic.LoadUintptr(&record()[2]) != request {
			}
			value := descend(400, uint64(index))
			procUnpin()
			atomic.StoreUint32(&isOver, 1)
			<-end
			sums <- value
		}(index)
		for atomic.LoadPointer(&bound) == nil {
			runtime.Gosched()
		}
		for requests := 0; requests < 1<<16 && atomic.LoadUint32(&isOver) == 0; requests++ {
			atomic.StoreUintptr((*uintptr)(bound), request)
			for turn := 0; turn < 2000 && atomic.LoadUint32(&isOver) == 0; turn++ {
			}
		}
		end <- true
		sum += <-sums
	}
	fmt.Println("pinned", sum)
}

type filter struct {
	code    uint16
	yes, no uint8
	number  uint32
}

// Becomes the program again on a system that takes MADV_GUARD_INSTALL and does nothing.
func unguarded() {
	runtime.LockOSThread()
	filters := []filter{
		{0x20, 0, 0, 0},                                 // the number of the system call
		{0x15, 0, 3, syscall.SYS_MADVISE},               // another one is allowed
		{0x20, 0, 0, 32},                                // its third argument
		{0x15, 0, 1, 102},                               // other advice is allowed
		{0x06, 0, 0, 0x50000}, {0x06, 0, 0, 0x7fff0000}, // no call and no error; allowed
	}
	program := struct {
		count   uint16
		filters *filter
	}{uint16(len(filters)), &filters[0]}
	syscall.RawSyscall6(syscall.SYS_PRCTL, 38, 1, 0, 0, 0, 0)
	_, _, failure := syscall.RawSyscall(syscall.SYS_PRCTL, 22, 2, uintptr(unsafe.Pointer(&program)))
	if failure != 0 {
		fmt.Println("not allowed")
		os.Exit(75)
	}
	fmt.Println(syscall.Exec("/proc/self/exe", []string{os.Args[0], "thresholds"}, os.Environ()))
}

// Loops that do little but call assembly, one that searches a large text and one that asks the kernel: collections must
// not wait for them.
func assembly() {
	text := make([]byte, 4<<20)
	works := []func() int{
		func() int { return search(text) },
		func() int { return ask() },
	}
	for _, work := range works {
		var stop uint32
		over := make(chan int)
		go func(work func() int) {
			count := 0
			for atomic.LoadUint32(&stop) == 0 {
				count |= work()
			}
			over <- count
		}(work)
		for round := 0; round < 5; round++ {
			runtime.Gosched()
			runtime.GC()
		}
		atomic.StoreUint32(&stop, 1)
		fmt.Println("assembly", <-over)
	}
}

//go:noinline
func ask() int {
	if syscall.Kill(os.Getpid(), 0) != nil {
		return 1
	}
	return 0
}

//go:noinline
func search(text []byte) int {
	return bytes.IndexByte(text, 1)
}

// Herds whose stacks are free between them for collections to give back. Prints what is in use with the first herd's
// stacks free, after collections, and the sum of another herd.
func released(count int) {
	debug.SetGCPercent(-1)
	sum := herd(count)
	before := resident()
	for round := 0; round < 5; round++ {
		runtime.GC()
	}
	fmt.Println(before, resident(), sum == herd(count))
}

// The process may take so many MiB of addresses more than it has.
func limitAddressSpace(size int) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	var pages int
	fmt.Sscan(string(text), &pages)
	limit := uint64(pages)*4096 + uint64(size)<<20
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		panic(err)
	}
	fmt.Println("limited")
}

// What a filter of system calls may deny: 1 guards by madvise, 2 giving pages back, 4 unmapping, 8 protections. 16 leaves
// the regions that are there, so that no more than a guard is asked for.
func denied(what int) {
	herd(100)
	const load, equal, end = 0x20, 0x15, 0x06
	const permitted, refused = 0x7fff0000, 0x00050001
	var program []filter
	deny := func(call, advice uint32) {
		if advice == 0 {
			program = append(program, filter{load, 0, 0, 0}, filter{equal, 0, 1, call},
				filter{end, 0, 0, refused})
			return
		}
		program = append(program, filter{load, 0, 0, 0}, filter{equal, 0, 3, call},
			filter{load, 0, 0, 32}, filter{equal, 0, 1, advice}, filter{end, 0, 0, refused})
	}
	for _, one := range []struct {
		bit          int
		call, advice uint32
	}{{1, 28, 102}, {2, 28, 4}, {4, 11, 0}, {8, 10, 0}} {
		if what&one.bit != 0 {
			deny(one.call, one.advice)
		}
	}
	program = append(program, filter{end, 0, 0, permitted})
	filters := struct {
		length  uint16
		program *filter
	}{uint16(len(program)), &program[0]}
	runtime.LockOSThread()
	if _, _, number := syscall.RawSyscall6(syscall.SYS_PRCTL, 38, 1, 0, 0, 0, 0); number != 0 {
		os.Exit(75)
	}
	// seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC)
	if _, _, number := syscall.RawSyscall(317, 1, 1, uintptr(unsafe.Pointer(&filters))); number != 0 {
		os.Exit(75)
	}
	runtime.UnlockOSThread()
	fmt.Println("denied")
	if what&16 != 0 {
		fmt.Println("herd", herd(200))
		return
	}
	sum := herd(5000)
	deep(40)
	runtime.GC()
	runtime.GC()
	runtime.GC()
	fmt.Println("herds", sum, herd(5000))
}
