// The independent check of the regex workload: all threads through the pattern at once, one character after the other,
// without recursion over the text and without backtracking (Thompson's construction, with the captures of each thread).
//
// Ways are kept in order of preference, so the first that accepts is the match that backtracking finds first. Back
// references have no such automaton; patterns that use them are checked otherwise (RegexWorkload.swift).

struct RegexSimulation {
    private enum State {
        case set(RegexSet)
        case lineStart, lineEnd
        case wordBoundary(negated: Bool)
        case save(Int)
        case split(Int, Int)
        case accept
    }

    /// A thread that waits at a state that reads a character.
    private struct Thread {
        var state: Int
        var slots: [Int]
    }

    private let text: UnsafeBufferPointer<UInt8>
    private var states: [State] = []
    private var next: [Int] = []
    private let start: Int
    private let slotCount: Int
    /// The position at which a state was last reached, so that the thread preferred most keeps it.
    private var reached: [Int] = []

    init(_ pattern: RegexPattern, text: UnsafeBufferPointer<UInt8>) {
        precondition(!pattern.hasBackreferences)
        self.text = text
        slotCount = 2 * (pattern.groups + 1)
        var builder = Builder()
        let accept = builder.add(.accept, next: -1)
        start = builder.build(pattern.root, then: accept)
        (states, next) = (builder.states, builder.next)
        reached = Array(repeating: -1, count: states.count)
    }

    /// Begin and end of the next match from `position` on and of its groups, nil if there is none.
    mutating func search(from position: Int) -> [Int]? {
        var threads: [Thread] = []
        var best: [Int]?
        var index = position
        for state in reached.indices { reached[state] = -1 }
        while true {
            var following: [Thread] = []
            // A match may begin here unless one has been found further left.
            if best == nil, threads.isEmpty || index == position {
                follow(start, Self.unset(slotCount, begin: index), index, &threads)
            } else if best == nil {
                follow(start, Self.unset(slotCount, begin: index), index, &threads)
            }
            let scalar = decode(index)
            let after = index + (scalar?.length ?? 1)
            for thread in threads {
                if case .accept = states[thread.state] {
                    best = thread.slots
                    best![1] = index
                    break
                }
                if case .set(let set) = states[thread.state], let scalar, set.contains(scalar.value) {
                    follow(next[thread.state], thread.slots, after, &following)
                }
            }
            threads = following
            if index >= text.count || best != nil && threads.isEmpty { return best }
            index = after
        }
    }

    private static func unset(_ count: Int, begin: Int) -> [Int] {
        var slots = Array(repeating: -1, count: count)
        slots[0] = begin
        return slots
    }

    /// Adds the threads from `state` to where characters are read, most preferred first.
    private mutating func follow(_ state: Int, _ slots: [Int], _ index: Int, _ threads: inout [Thread]) {
        var pending = [Thread(state: state, slots: slots)]
        while var thread = pending.popLast() {
            guard reached[thread.state] != index else { continue }
            reached[thread.state] = index
            switch states[thread.state] {
            case .set, .accept:
                threads.append(thread)
                continue
            case .split(let first, let second):
                pending.append(Thread(state: second, slots: thread.slots))
                pending.append(Thread(state: first, slots: thread.slots))
                continue
            case .save(let slot):
                thread.slots[slot] = index
            case .lineStart:
                guard index == 0 || text[index - 1] == 0x0a else { continue }
            case .lineEnd:
                guard index == text.count || text[index] == 0x0a else { continue }
            case .wordBoundary(let negated):
                guard (isWord(index - 1) == isWord(index)) == negated else { continue }
            }
            pending.append(Thread(state: next[thread.state], slots: thread.slots))
        }
    }

    private func isWord(_ index: Int) -> Bool {
        guard index >= 0, index < text.count else { return false }
        let character = Character(Unicode.Scalar(text[index]))
        return text[index] < 0x80 && (character.isLetter || character.isNumber || character == "_")
    }

    /// The scalar at `index` as the standard library decodes it.
    private func decode(_ index: Int) -> (value: UInt32, length: Int)? {
        guard index < text.count else { return nil }
        if text[index] < 0x80 { return (UInt32(text[index]), 1) }
        var iterator = text[index..<min(index + 4, text.count)].makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return (0xfffd, 1) }
        return (scalar.value, UTF8.width(scalar))
    }

    /// Builds states from the end of a pattern to its beginning: each knows its successor.
    private struct Builder {
        var states: [State] = []
        var next: [Int] = []

        mutating func add(_ state: State, next target: Int) -> Int {
            states.append(state)
            next.append(target)
            return states.count - 1
        }

        mutating func build(_ node: RegexNode, then target: Int) -> Int {
            switch node {
            case .empty: return target
            case .set(let set): return add(.set(set), next: target)
            case .lineStart: return add(.lineStart, next: target)
            case .lineEnd: return add(.lineEnd, next: target)
            case .wordBoundary(let negated): return add(.wordBoundary(negated: negated), next: target)
            case .backreference: preconditionFailure("no automaton")
            case .group(let number, let node):
                let end = add(.save(2 * number + 1), next: target)
                return add(.save(2 * number), next: build(node, then: end))
            case .sequence(let nodes):
                return nodes.reversed().reduce(target) { build($1, then: $0) }
            case .alternation(let nodes):
                let entries = nodes.map { build($0, then: target) }
                return entries.dropLast().reversed().reduce(entries.last!) { add(.split($1, $0), next: -1) }
            case .repetition(let node, let minimum, let maximum, let isGreedy):
                var entry = target
                if let maximum {
                    for _ in minimum..<maximum {
                        let inside = build(node, then: entry)
                        entry = add(isGreedy ? .split(inside, target) : .split(target, inside), next: -1)
                    }
                } else {
                    let loop = add(.split(-1, -1), next: -1)
                    let inside = build(node, then: loop)
                    states[loop] = isGreedy ? .split(inside, target) : .split(target, inside)
                    entry = loop
                }
                for _ in 0..<minimum { entry = build(node, then: entry) }
                return entry
            }
        }
    }
}
