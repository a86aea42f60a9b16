// Synthetic faults whose true cause is known, to measure how well the classifier tells causes apart.
//
// Each is built as it comes about: a scene (where a stack, its room, its guard and other memory lie), what an
// instruction does there, and what the kernel and the handler would then report. The verdict that is due follows from
// the part of the scene that was chosen. The generator does not ask the classifier, and it leaves out no case that the
// classifier finds hard.

@_spi(Experiments) import Faultline
import Measurement

/// A synthetic fault.
package struct SyntheticFault {
    /// What happened.
    package enum Cause: String, CaseIterable, Sendable {
        case growth = "use of room"
        case largeFrame = "a frame that jumps out of the slot of a moving stack"
        case overflow = "use beyond the maximum"
        case overflowOfFixed = "use beyond a stack that cannot grow"
        case headroom = "unchecked code beyond its headroom"
        case nilAccess = "access to the nil page"
        case nilCall = "call of nil"
        case jumpToData = "jump to data"
        case formerRange = "access to where a stack was"
        case hibernated = "access to a stack that hibernates"
        case otherGuard = "access to another stack's guard"
        case ownGuardFromOutside = "access to a stack's guard by code on another stack"
        case farBelow = "access far below the stack pointer"
        case readOnly = "write to read-only memory"
        case hole = "access to a hole"
        case kernelHalf = "access to the kernel's half"
        // A published name.
        case foreignProtection = "access to memory that somebody else protected"
        case nonCanonical = "access to a non-canonical address"
        case nonCanonicalStack = "use of a non-canonical stack pointer"
        case nonCanonicalTarget = "jump to a non-canonical address, reported at the target"
        case nonCanonicalBranch = "jump to a non-canonical address, reported at the branch"
        case nonCanonicalUnread = "access to a non-canonical address by an unknown instruction"
        case nonCanonicalNearGuard = "access to a non-canonical address near the guard"
        case lostFrame = "signal frame that did not fit"
        case lostFrameAtWildOperand = "signal frame that did not fit at an instruction with a non-canonical operand"
        case privileged = "privileged or misaligned instruction"
        case sent = "signal that a process sent"
        case brokenMapping = "access beyond the end of a mapped file"
    }

    /// What happened.
    package let cause: Cause
    fileprivate var facts: FaultFacts

    /// The name of the verdict that is due, among ``FaultStatistics/verdicts``.
    package var due: String {
        switch cause {
        case .growth, .largeFrame: "growth"
        case .overflow, .overflowOfFixed: "overflow"
        case .headroom: "headroom-too-small"
        case .nilAccess: "nil-dereference"
        case .nilCall, .jumpToData: "execute"
        case .formerRange: "stale-reference"
        case .hibernated: "hibernated"
        case .otherGuard, .ownGuardFromOutside: "other-guard"
        case .farBelow: "below-stack"
        case .readOnly: "write-to-read-only"
        case .hole, .kernelHalf, .foreignProtection, .privileged, .brokenMapping: "foreign"
        case .nonCanonical, .nonCanonicalStack, .nonCanonicalTarget, .nonCanonicalBranch, .nonCanonicalUnread,
            .nonCanonicalNearGuard:
            "non-canonical"
        case .lostFrame, .lostFrameAtWildOperand: "lost-signal-frame"
        case .sent: "sent"
        }
    }

    /// What the classifier says: a position in ``FaultStatistics/verdicts``.
    package func classified() -> Int {
        facts.classified()
    }
}

// What Linux reports on x86-64, spelled out so that a wrong constant in the shim does not hide.
private let segv: Int32 = 11
private let bus: Int32 = 7
private let mapErr: Int32 = 1
private let accErr: Int32 = 2
private let kernel: Int32 = 128
private let redZone: UInt = 128
private let nilExtent: UInt = 1 << 16
private let userEnd: UInt = 1 << 47
private let causes = SyntheticFault.Cause.allCases

/// An endless sequence of synthetic faults, each cause as often as any other.
package struct SyntheticFaults {
    private typealias Cause = SyntheticFault.Cause

    private var random: SeededGenerator

    /// - Parameter seed: determines everything.
    package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// Where a stack lies, drawn anew for each fault. See CShim/README.md for the drawing.
    private struct Scene {
        var slotLow: UInt, roomLow: UInt, low: UInt, base: UInt
    }

    private mutating func below(_ bound: UInt) -> UInt { UInt.random(in: 0..<bound, using: &random) }
    /// An address in `low ..< high`.
    private mutating func address(_ low: UInt, _ high: UInt) -> UInt { low + below(high - low) }
    private mutating func either<Value>(_ first: Value, _ second: Value) -> Value { below(2) == 0 ? first : second }

    private mutating func scene() -> Scene {
        let page: UInt = 4096
        let geometry = SlotGeometry.all[Int(below(UInt(SlotGeometry.all.count)))]
        let slotLow = 0x7000_0000_0000 + below(1 << 10) << 30 + geometry.offset + below(8) * geometry.size
        let base = slotLow + geometry.size
        let pages = (geometry.size - geometry.guardSize) / page
        // At least a page is committed and at least one is room.
        let maximum = 2 + below(pages - 1)
        let committed = 1 + below(maximum - 1)
        return Scene(slotLow: slotLow, roomLow: base - maximum * page, low: base - committed * page, base: base)
    }

    /// The next fault.
    package mutating func next() -> SyntheticFault {
        let cause = causes[Int(below(UInt(causes.count)))]
        let scene = scene()
        var facts = FaultFacts()
        facts.signal = segv
        facts.code = either(mapErr, accErr)
        facts.pageFaultError = either(4, 6)
        facts.trap = 14
        facts.instruction = address(0x5555_0000_0000, 0x5556_0000_0000)
        facts.stack = FaultFacts.RunningStack(
            low: scene.low, base: scene.base, slotLow: scene.slotLow, roomLow: scene.roomLow, growth: .byTrap)
        facts.nilExtent = nilExtent
        facts.signalFrameSize = Int(address(2048, 12 << 10))
        // Most code runs well inside what is committed.
        facts.stackPointer = address(scene.low, scene.base)
        switch cause {
        case .growth, .largeFrame, .overflow, .overflowOfFixed, .headroom: useStack(cause, scene, &facts)
        case .otherGuard, .ownGuardFromOutside, .farBelow, .formerRange, .hibernated:
            strayIntoStacks(cause, scene, &facts)
        case .nilAccess, .nilCall, .jumpToData, .readOnly, .hole, .kernelHalf, .foreignProtection, .brokenMapping:
            touchOther(cause, scene, &facts)
        case .sent:
            facts.signal = either(segv, bus)
            facts.code = -Int32(below(8))
            facts.address = address(0, userEnd)
        default: failProtection(cause, scene, &facts)
        }
        facts.stackPointerIsInRunningStack =
            facts.stack != nil && facts.stackPointer >= scene.slotLow && facts.stackPointer <= scene.base
        facts.stackPointerIsBelowRunningSlot =
            facts.stack != nil && facts.stackPointer < scene.slotLow && scene.slotLow - facts.stackPointer < 1 << 30
        return SyntheticFault(cause: cause, facts: facts)
    }

    /// The running stack's own code uses its stack: an access at or above the red zone.
    private mutating func useStack(_ cause: Cause, _ scene: Scene, _ facts: inout FaultFacts) {
        let (lowest, end): (UInt, UInt)
        switch cause {
        case .growth:
            // The frame, red zone included, ends in the room.
            facts.stackPointer = address(scene.roomLow + redZone, min(scene.low + redZone, scene.base))
            (lowest, end) = (scene.roomLow, scene.low)
        case .largeFrame:
            // Whether a larger slot has room for it is the handler's to decide.
            facts.stack?.roomLow = 0
            facts.stackPointer = scene.slotLow - 1 - below(1 << 20)
            (lowest, end) = (facts.stackPointer - redZone, min(facts.stackPointer + 4096, scene.slotLow))
            facts.zone = .outside
        default:
            if cause == .overflowOfFixed { facts.stack?.growth = .never }
            if cause == .headroom { facts.stack?.growth = .byCheck }
            // Whatever is below the usable part ends the headroom; for the others the room is no obstacle.
            end = cause == .headroom ? scene.low : scene.roomLow
            lowest = scene.slotLow
            facts.stackPointer = address(scene.slotLow, end + redZone)
        }
        facts.address = address(max(lowest, facts.stackPointer - redZone), end)
        if cause != .largeFrame { facts.zone = facts.address < scene.roomLow ? .beyond : .room }
        facts.addressIsInRunningStack = cause != .largeFrame
    }

    /// A pointer that should not have led there hits what belongs to stacks.
    private mutating func strayIntoStacks(_ cause: Cause, _ scene: Scene, _ facts: inout FaultFacts) {
        switch cause {
        case .otherGuard:
            let other = self.scene()
            facts.address = address(other.slotLow, other.low)
            facts.zone = below(4) == 0 ? .free : facts.address < other.roomLow ? .beyond : .room
            leaveStackSometimes(&facts)
        case .ownGuardFromOutside:
            facts.address = address(scene.slotLow, scene.low)
            facts.zone = facts.address < scene.roomLow ? .beyond : .room
            facts.addressIsInRunningStack = true
            facts.stackPointer = address(0x7ffc_0000_0000, 0x7ffd_0000_0000)
        case .farBelow:
            facts.address = address(scene.slotLow, min(scene.low, facts.stackPointer - redZone))
            facts.zone = facts.address < scene.roomLow ? .beyond : .room
            facts.addressIsInRunningStack = true
        case .hibernated:
            let other = self.scene()
            facts.address = address(other.low, other.base)
            facts.zone = .hibernated
            leaveStackSometimes(&facts)
        default:
            let former = self.scene()
            facts.address = address(former.low, former.base)
            facts.zone = .oldRange
            facts.addressIsInRunningStack = true
        }
    }

    /// An access to memory that is no stack's.
    private mutating func touchOther(_ cause: Cause, _ scene: Scene, _ facts: inout FaultFacts) {
        leaveStackSometimes(&facts)
        facts.address = address(1 << 28, 0x5000_0000_0000)
        switch cause {
        case .nilAccess: facts.address = below(nilExtent)
        case .nilCall: (facts.address, facts.pageFaultError) = (below(nilExtent), 0x14)
        case .jumpToData: (facts.code, facts.pageFaultError) = (accErr, 0x15)
        case .readOnly: (facts.code, facts.pageFaultError) = (accErr, 7)
        case .hole: facts.code = mapErr
        case .kernelHalf:
            facts.address = UInt.max - below(userEnd)
            (facts.code, facts.pageFaultError) = (mapErr, either(5, 7))
        case .brokenMapping: (facts.signal, facts.code) = (bus, Int32(1 + below(3)))
        default:
            facts.address = address(scene.low, scene.base)
            facts.zone = .committed
            facts.addressIsInRunningStack = facts.stack != nil
            facts.code = accErr
        }
    }

    /// No page fault: the kernel reports neither an address nor, for a lost frame, anything of the cause.
    private mutating func failProtection(_ cause: Cause, _ scene: Scene, _ facts: inout FaultFacts) {
        (facts.code, facts.pageFaultError, facts.trap, facts.address) = (kernel, 0, 13, 0)
        let wild = address(userEnd, UInt.max - userEnd)
        let tame = either(address(1 << 28, 0x5000_0000_0000), address(scene.low, scene.base))
        let frame = redZone + UInt(facts.signalFrameSize)
        facts.access = FaultFacts.Access(
            kind: .memory, length: 4, address: wild)
        switch cause {
        case .nonCanonicalNearGuard: facts.stackPointer = address(scene.low, min(scene.low + frame, scene.base))
        case .lostFrame, .lostFrameAtWildOperand:
            facts.stackPointer = address(scene.low, min(scene.low + frame, scene.base))
            // Both are what the last fault of this thread left there.
            (facts.trap, facts.pageFaultError) = (UInt64(below(20)), UInt64(below(8)))
            if cause == .lostFrame {
                facts.access.kind = either(.memory, .none)
                facts.access.address = facts.access.kind == .none ? 0 : tame
            }
        default:
            // A signal frame would have fitted, or no coroutine runs.
            if scene.low + frame < scene.base {
                facts.stackPointer = address(scene.low + frame, scene.base)
            } else {
                leaveStack(&facts)
            }
            adjustOperand(cause, wild: wild, tame: tame, &facts)
        }
    }

    private mutating func adjustOperand(_ cause: Cause, wild: UInt, tame: UInt, _ facts: inout FaultFacts) {
        switch cause {
        case .nonCanonicalStack: facts.signal = bus
        case .nonCanonicalTarget:
            facts.instruction = wild
            facts.access = FaultFacts.Access(
                kind: .unknown, length: 0, address: 0)
        case .nonCanonicalBranch:
            (facts.access.kind, facts.access.address) = (.push, facts.stackPointer - 8)
        case .nonCanonicalUnread: (facts.access.kind, facts.access.address) = (.unknown, 0)
        case .privileged:
            facts.access.kind = either(.memory, .none)
            facts.access.address = facts.access.kind == .none ? 0 : tame
        default: break
        }
    }

    private mutating func leaveStackSometimes(_ facts: inout FaultFacts) {
        if below(4) == 0 { leaveStack(&facts) }
    }

    /// The thread runs on its own stack.
    private mutating func leaveStack(_ facts: inout FaultFacts) {
        facts.stack = nil
        facts.stackPointer = address(0x7ffc_0000_0000, 0x7ffd_0000_0000)
    }
}
