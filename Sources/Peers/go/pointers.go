// Goroutines that wait in every way that Go has, and where the runtime's own records of them are, by this program's debug
// information: its memory is searched for addresses of their stacks from outside, while it waits for further input.
//
// It answers one line, "pointers COUNT", by one line of parts that end with semicolons:
//
//	process NUMBER
//	type NAME FIELD:OFFSET:SIZE …             a record of the runtime
//	at NAME ADDRESS                           where there is one
//	goroutine LOW HIGH SP STATE               its stack; that of a thread's own has the state "thread"
//	span LOW HIGH STATE SIZE BITS             a piece of the heap: what it is used for, the size of its objects, and
//	                                          which of them are in use
package main

import (
	"bufio"
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	// What is given up by a collection stays where it was.
	debug.SetGCPercent(-1)
	lines := bufio.NewReader(os.Stdin)
	var count int
	if _, err := fmt.Fscanf(lines, "pointers %d\n", &count); err != nil {
		fmt.Println("error: a request is 'pointers COUNT'")
		return
	}
	debugged, err := readDebugInformation()
	if err == nil {
		err = park(count, debugged)
	}
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println(debugged.report())
	io.Copy(io.Discard, lines)
}

// Goroutines that wait.

type element struct{ words [3]uint64 }

// What they keep hold of.
var (
	never, full    = make(chan element), make(chan element)
	locked         sync.Mutex
	group          sync.WaitGroup
	turn           = sync.NewCond(&sync.Mutex{})
	silent         [2]int
	polled, writer *os.File
	kept           uint64
)

// Each level has a pointer to a variable of the one above it.
//
//go:noinline
func chain(depth int, outer *element, wait func()) uint64 {
	own := element{[3]uint64{uint64(depth), outer.words[0], outer.words[1]}}
	if depth == 0 {
		wait()
		return own.words[0]
	}
	return chain(depth-1, &own, wait) + own.words[2]
}

// What takes a thread is apart.
var threadWay = func() { // a read that the kernel waits for
	var buffer [64]byte
	syscall.Read(silent[0], buffer[:])
}

var ways = []func(){
	func() { // a receive into a variable on the stack
		value := <-never
		kept += value.words[0]
	},
	func() { full <- element{[3]uint64{1, 2, 3}} },
	func() {
		select {
		case value := <-never:
			kept += value.words[1]
		case full <- element{[3]uint64{4, 5, 6}}:
		}
	},
	func() { locked.Lock() },
	func() { group.Wait() },
	func() {
		turn.L.Lock()
		turn.Wait()
	},
	func() { time.Sleep(24 * time.Hour) },
	func() {
		var outermost element
		kept += chain(100, &outermost, func() { <-never })
	},
	func() { // a closure that is deferred
		var own element
		defer func() { kept += own.words[0] }()
		own = <-never
	},
	func() { // several of one defer, whose records are on the heap
		var own element
		for i := range own.words {
			i := i
			defer func() { kept += own.words[i] }()
		}
		own = <-never
	},
	func() { // within a panic
		defer func() {
			<-never
			_ = recover()
		}()
		panic(errors.New("it waits"))
	},
	func() { // a read that the poller waits for
		var buffer [64]byte
		polled.Read(buffer[:])
	},
}

// Has count goroutines wait in each way, and a few in a system call.
func park(count int, known *debugInformation) error {
	locked.Lock()
	group.Add(1)
	err := syscall.Pipe2(silent[:], syscall.O_CLOEXEC)
	if err != nil {
		return err
	}
	if polled, writer, err = os.Pipe(); err != nil {
		return err
	}
	for _, way := range ways {
		for i := 0; i < count; i++ {
			go way()
		}
	}
	for i := 0; i < 4; i++ {
		go threadWay()
	}
	made := count*len(ways) + 4
	if err = known.settle(made); err != nil {
		return err
	}
	// Stacks are halved, and so moved; what is no longer used is known to be free, or goes back to the kernel.
	runtime.GC()
	debug.FreeOSMemory()
	return known.settle(made)
}

// Waits until all goroutines but this one do.
func (d *debugInformation) settle(made int) error {
	for i := 0; i < 2000; i++ {
		time.Sleep(5 * time.Millisecond)
		if runtime.NumGoroutine() < made+1 {
			return errors.New("a goroutine that should wait has ended")
		}
		others := 0
		for _, g := range pointers(d.symbols["runtime.allgs"]) {
			if state := d.state(g); state != "waits" && state != "dead" {
				others++
			}
		}
		if others == 1 {
			return nil
		}
	}
	return errors.New("the goroutines do not come to rest")
}

// What debug information says of the runtime.

type field struct {
	name         string
	offset, size uintptr
}

type debugInformation struct {
	fields  map[string][]field
	symbols map[string]uintptr
}

// The records that are looked for; the last is only a way to others.
var records = []string{"g", "sudog", "_defer", "_panic", "m", "p", "mspan", "mheap"}

func readDebugInformation() (*debugInformation, error) {
	program, err := elf.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer program.Close()
	found := &debugInformation{map[string][]field{}, map[string]uintptr{}}
	symbols, err := program.Symbols()
	if err != nil {
		return nil, err
	}
	for _, symbol := range symbols {
		found.symbols[symbol.Name] = uintptr(symbol.Value)
	}
	data, err := program.DWARF()
	if err != nil {
		return nil, err
	}
	wanted := map[string]string{}
	for _, name := range records {
		wanted["runtime."+name] = name
	}
	for entries := data.Reader(); ; {
		entry, err := entries.Next()
		if err != nil {
			return nil, err
		}
		if entry == nil {
			break
		}
		text, _ := entry.Val(dwarf.AttrName).(string)
		name := wanted[text]
		if entry.Tag != dwarf.TagStructType || name == "" {
			continue
		}
		kind, err := data.Type(entry.Offset)
		if err != nil {
			return nil, err
		}
		for _, part := range kind.(*dwarf.StructType).Field {
			found.fields[name] = append(found.fields[name],
				field{part.Name, uintptr(part.ByteOffset), uintptr(part.Type.Size())})
		}
	}
	return found, nil
}

func (d *debugInformation) field(kind, name string) (field, bool) {
	for _, field := range d.fields[kind] {
		if field.name == name {
			return field, true
		}
	}
	return field{}, false
}

// The whole number, or the pointer, in a field of a record.
func (d *debugInformation) value(kind string, record uintptr, name string) uintptr {
	field, isThere := d.field(kind, name)
	if !isThere {
		panic(errors.New("runtime." + kind + " has no " + name))
	}
	at := unsafe.Pointer(record + field.offset)
	switch field.size {
	case 1:
		return uintptr(*(*uint8)(at))
	case 2:
		return uintptr(*(*uint16)(at))
	case 4:
		return uintptr(*(*uint32)(at))
	}
	// The first word of a longer one.
	return *(*uintptr)(at)
}

// The elements of a slice of pointers.
func pointers(slice uintptr) []uintptr { return *(*[]uintptr)(unsafe.Pointer(slice)) }

// States by their numbers in runtime2.go, without the bit of a goroutine that is being scanned.
func (d *debugInformation) state(g uintptr) string {
	switch d.value("g", g, "atomicstatus") &^ 0x1000 {
	case 3, 4:
		return "waits"
	case 6:
		return "dead"
	}
	return "runs"
}

// What it says is written as text at once, and no address is kept as a number on the heap: what would look like another
// pointer.
type report struct{ text strings.Builder }

func (r *report) part(words string) {
	if r.text.Len() > 0 {
		r.text.WriteByte(';')
	}
	r.text.WriteString(words)
}

func (r *report) number(number uintptr) {
	r.text.WriteByte(' ')
	r.digits(number)
}

func (r *report) digits(number uintptr) {
	if number >= 10 {
		r.digits(number / 10)
	}
	r.text.WriteByte(byte('0' + number%10))
}

func (r *report) record(kind string, address uintptr) {
	r.part("at ")
	r.text.WriteString(kind)
	r.number(address)
}

// A goroutine's record begins with the bounds of its stack, and what is saved of it with the stack pointer.
func (d *debugInformation) goroutine(r *report, g uintptr, state string) {
	r.record("g", g)
	bounds := (*[2]uintptr)(unsafe.Pointer(g))
	r.part("goroutine")
	r.number(bounds[0])
	r.number(bounds[1])
	r.number(d.value("g", g, "sched"))
	r.text.WriteByte(' ')
	r.text.WriteString(state)
}

func (d *debugInformation) report() string {
	r := &report{}
	r.text.Grow(4 << 20)
	r.part("process")
	r.number(uintptr(os.Getpid()))
	for _, kind := range records {
		r.part("type " + kind)
		for _, field := range d.fields[kind] {
			fmt.Fprintf(&r.text, " %s:%d:%d", field.name, field.offset, field.size)
		}
	}
	for _, g := range pointers(d.symbols["runtime.allgs"]) {
		state := d.state(g)
		d.goroutine(r, g, state)
		if state != "waits" {
			continue
		}
		d.list(r, "sudog", "waitlink", d.value("g", g, "waiting"))
		d.list(r, "_defer", "link", d.value("g", g, "_defer"))
		d.list(r, "_panic", "link", d.value("g", g, "_panic"))
	}
	for m := *(*uintptr)(unsafe.Pointer(d.symbols["runtime.allm"])); m != 0; m = d.value("m", m, "alllink") {
		r.record("m", m)
		d.goroutine(r, d.value("m", m, "g0"), "thread")
		d.goroutine(r, d.value("m", m, "gsignal"), "thread")
	}
	for _, p := range pointers(d.symbols["runtime.allp"]) {
		r.record("p", p)
	}
	spans, _ := d.field("mheap", "allspans")
	for _, s := range pointers(d.symbols["runtime.mheap_"] + spans.offset) {
		d.span(r, s)
	}
	return r.text.String()
}

// The records of a list, of which each names the next one.
func (d *debugInformation) list(r *report, kind, next string, first uintptr) {
	for record := first; record != 0; record = d.value(kind, record, next) {
		r.record(kind, record)
	}
}

// Of each object of a span 1 where it is in use: it was at the last collection or has been given out since
// (isFree in mbitmap.go).
func (d *debugInformation) span(r *report, s uintptr) {
	r.record("mspan", s)
	low, state := d.value("mspan", s, "startAddr"), d.value("mspan", s, "state")
	r.part("span")
	r.number(low)
	r.number(low + d.value("mspan", s, "npages")*8192)
	r.number(state)
	r.number(d.value("mspan", s, "elemsize"))
	// 1: objects.
	if state != 1 {
		return
	}
	index := "freeindex"
	if _, isThere := d.field("mspan", "freeIndexForScan"); isThere {
		index = "freeIndexForScan"
	}
	next, bits := d.value("mspan", s, index), d.value("mspan", s, "allocBits")
	r.text.WriteByte(' ')
	for i, count := uintptr(0), d.value("mspan", s, "nelems"); i < count; i++ {
		if i < next || *(*uint8)(unsafe.Pointer(bits + i/8))>>(i%8)&1 != 0 {
			r.text.WriteByte('1')
		} else {
			r.text.WriteByte('0')
		}
	}
}
