// Every system call of the shim fails once, in a child: it throws, falls back or dies with a message, and works again.
import CShim
import Faultline
import Glibc
import Measurement
import Testing

/// What a refusal at a site leads to.
private enum Outcome: Sendable {
    /// Making the stack throws, naming this call.
    case throwing(String)
    /// The work is done another way.
    case fallback
    /// An isolated coroutine ends with a fault that names the call; without isolation the process ends.
    case fault
    /// The process ends with this message.
    case death(String)
}

private struct SiteCase: Sendable, CustomTestStringConvertible {
    let site: fl_site
    /// Armed before anything was made, and after the site has worked.
    let first: Outcome?, later: Outcome?
    var testDescription: String { String(cString: fl_site_name(site)) }

    static let all: [SiteCase] = [
        .init(site: .FL_SITE_ARENA_MAP, first: .throwing("arena-map"), later: .throwing("arena-map")),
        .init(site: .FL_SITE_ARENA_TRIM, first: .fallback, later: .fallback),
        .init(site: .FL_SITE_ARENA_OPEN, first: .throwing("arena-open"), later: .throwing("arena-open")),
        // The table of stacks is the first mapping that must not be locked.
        .init(site: .FL_SITE_ARENA_UNLOCK, first: .throwing("stack-table"), later: .throwing("stack-table")),
        .init(site: .FL_SITE_ARENA_GROW, first: .throwing("stack-table"), later: .throwing("stack-table")),
        .init(site: .FL_SITE_ARENA_GUARD, first: .fallback, later: .fallback),
        .init(site: .FL_SITE_CORE_OMIT, first: .fallback, later: .fallback),
        // Reached by the end of a process, which CoreFiles has for each of them.
        .init(site: .FL_SITE_CORE_SHOW, first: nil, later: nil),
        .init(site: .FL_SITE_CORE_HANDLER, first: .fallback, later: nil),  // installed once
        .init(site: .FL_SITE_ARENA_TABLE, first: .throwing("arena-table"), later: .throwing("arena-table")),
        .init(site: .FL_SITE_ARENA_ADVICE, first: .fallback, later: .fallback),
        .init(site: .FL_SITE_STACK_TABLE, first: .throwing("stack-table"), later: .throwing("stack-table")),
        .init(site: .FL_SITE_GUARD_INSTALL, first: .throwing("guard-pages"), later: .throwing("guard-install")),
        .init(site: .FL_SITE_GUARD_REMOVE, first: .throwing("guard-pages"), later: .throwing("guard-remove")),
        .init(site: .FL_SITE_GROW_INSTALL, first: .fault, later: .fault),
        .init(site: .FL_SITE_GROW_REMOVE, first: .fault, later: .fault),
        .init(site: .FL_SITE_GROW_TABLES, first: .fallback, later: .fallback),
        .init(site: .FL_SITE_PROTECT_NONE, first: .throwing("protect-none"), later: .throwing("protect-none")),
        .init(site: .FL_SITE_PROTECT_WRITE, first: .throwing("protect-write"), later: .throwing("protect-write")),
        .init(site: .FL_SITE_GROW_PROTECT, first: .fault, later: .fault),
        .init(site: .FL_SITE_POPULATE, first: .fallback, later: .throwing("populate")),
        .init(site: .FL_SITE_RELEASE, first: .fallback, later: .fallback),
        .init(
            site: .FL_SITE_OLD_RANGE_GUARD, first: .death("could not be guarded (old-range-guard)"),
            later: .death("could not be guarded (old-range-guard)")),
        .init(site: .FL_SITE_QUARANTINE, first: .fault, later: .fault),
        .init(site: .FL_SITE_USERFAULTFD, first: .fallback, later: nil),  // opened once
        .init(site: .FL_SITE_UFFDIO_API, first: .fallback, later: nil),  // likewise
        .init(site: .FL_SITE_UFFDIO_REGISTER, first: .fallback, later: .fallback),
        .init(site: .FL_SITE_UFFDIO_MOVE, first: .fallback, later: .fallback),
        .init(site: .FL_SITE_MREMAP, first: .fallback, later: .fallback),
        .init(
            site: .FL_SITE_GROWS_DOWN_PROBE, first: .throwing("grows-down-probe"),
            later: .throwing("grows-down-probe")),
        .init(site: .FL_SITE_GROWS_DOWN_MAP, first: .throwing("grows-down-map"), later: .throwing("grows-down-map")),
        .init(site: .FL_SITE_ALTERNATE_MAP, first: .throwing("initialization"), later: .throwing("alternate-map")),
        .init(
            site: .FL_SITE_ALTERNATE_PROTECT, first: .throwing("initialization"), later: .throwing("alternate-protect")
        ),
        .init(site: .FL_SITE_ALTERNATE_SET, first: .throwing("initialization"), later: .throwing("alternate-set")),
        .init(site: .FL_SITE_HANDLER_SET, first: .throwing("handler-set"), later: .throwing("handler-set")),
        .init(
            site: .FL_SITE_HIBERNATE_PROTECT, first: .throwing("hibernate-protect"),
            later: .throwing("hibernate-protect")),
        .init(
            site: .FL_SITE_HIBERNATE_CLOSE, first: .throwing("hibernate-close"), later: .throwing("hibernate-close")),
        .init(
            site: .FL_SITE_HIBERNATE_OPEN, first: .death("could not be made accessible again (hibernate-open)"),
            later: .death("could not be made accessible again (hibernate-open)")),
        // Refused while the kernel is probed, there is no hibernation of what others may use.
        .init(
            site: .FL_SITE_HIBERNATE_GUARD, first: .throwing("cannot replace a guarded page"),
            later: .throwing("hibernate-guard")),
        .init(site: .FL_SITE_HIBERNATE_RELEASE, first: .fallback, later: .fallback),
        .init(
            site: .FL_SITE_RESTORE_COPY, first: .throwing("cannot replace a guarded page"),
            later: .throwing("restore-copy")),
        .init(
            site: .FL_SITE_RESTORE_UNGUARD, first: .throwing("restore-unguard"), later: .throwing("restore-unguard")),
        .init(site: .FL_SITE_STORE_MAP, first: .throwing("store-map"), later: .throwing("store-map")),
        .init(site: .FL_SITE_STORE_RELEASE, first: .fallback, later: .fallback),
        .init(site: .FL_SITE_HIBERNATE_MASK, first: .throwing("hibernate-mask"), later: .throwing("hibernate-mask")),
        .init(site: .FL_SITE_STACK_MEMORY, first: .throwing("stack-memory"), later: .throwing("stack-memory")),
        .init(site: .FL_SITE_POOL_TRIM, first: .fallback, later: .fallback),
        .init(site: .FL_SITE_IDLE_RESIDENT, first: .throwing("idle-resident"), later: .throwing("idle-resident")),
        .init(site: .FL_SITE_SHRINK_RELEASE, first: .throwing("shrink-release"), later: .throwing("shrink-release")),
        .init(site: .FL_SITE_SHRINK_GUARD, first: .throwing("shrink-guard"), later: .throwing("shrink-guard")),
        .init(site: .FL_SITE_SHRINK_MASK, first: .throwing("shrink-mask"), later: .throwing("shrink-mask")),
        // Once for the process.
        .init(site: .FL_SITE_WORDS_THREAD, first: .throwing("initialization"), later: nil),
        .init(site: .FL_SITE_WORDS_MASK, first: .throwing("initialization"), later: nil),
        .init(site: .FL_SITE_SIGNAL_MASK, first: .throwing("signal-mask"), later: .throwing("signal-mask")),
        .init(site: .FL_SITE_THREAD_BOUNDS, first: .fallback, later: .fallback),
        .init(site: .FL_SITE_INITIALIZE_THREAD, first: .throwing("initialization"), later: nil),
        .init(site: .FL_SITE_ANNOUNCE, first: nil, later: nil),  // reached under a sanitizer only
    ]
}

@Suite struct InjectedFailures {
    @Test func everySiteHasACase() {
        #expect(SiteCase.all.map(\.site.rawValue) == Array(0..<fl_site.FL_SITE_COUNT.rawValue))
    }

    @Test(arguments: SiteCase.all, [ENOMEM, EPERM, EAGAIN])
    fileprivate func aRefusalThrowsFallsBackOrEndsWithAMessage(_ site: SiteCase, _ error: Int32) throws {
        for (when, outcome) in [("first", site.first), ("later", site.later)] {
            guard let outcome else { continue }
            try check(site, error, when, outcome, isolated: true)
            try check(site, error, when, outcome, isolated: false)
        }
    }

    @Test(arguments: SiteCase.all) fileprivate func aLaterCallMayFailAsWell(_ site: SiteCase) throws {
        // Whatever the second, third or tenth call is for: no refusal may hang, or end without a message.
        for after in [1, 2, 9] {
            let result = try ChildProcess.run(
                ["inject", "\(site.site.rawValue)", "\(ENOMEM)", "\(after)", "first", "isolated"], seconds: 30)
            switch result.ending {
            case .exited(0): #expect(result.output.contains("done"))
            case .signalled(SIGSEGV): #expect(result.output.contains("faultline: "), "\(result.output)")
            default: Issue.record("after \(after): \(result.ending): \(result.output.suffix(1000))")
            }
        }
    }

    @Test func aDefaultActionThatCannotBeRestoredStillEndsTheProcess() throws {
        try expectChild("inject-default", ends: .signalled(SIGSEGV), seconds: 20)
    }

    // A refusal inside the handler, which cannot throw.
    @Test(arguments: [
        ("read restore-copy", "restore-copy failed with errno 1"),
        ("write restore-copy", "restore-copy failed with errno 1"),
        ("read none", "only a resume can restore it, without a userfaultfd"),
        ("read fork", "only a resume can restore it, without a userfaultfd"),
    ])
    func anAccessThatCannotBeRestoredEndsWithAMessage(_ how: String, _ message: String) throws {
        try expectChild(
            "hibernated-access \(how)", ends: .signalled(SIGSEGV),
            writes: ["faultline: access to a hibernated stack at 0x", message], never: ["survived"], seconds: 30)
    }

    @Test func aHibernatedCoroutineThatCannotBeCancelledEndsTheProcessWithAMessage() throws {
        try expectChild(
            "hibernated-cancel", ends: .signalled(SIGILL), writes: ["cannot be cancelled: not restored: restore-copy"],
            seconds: 30)
    }

    @Test func aChildOfForkResumesWhatHibernatedBefore() throws {
        try expectChild("hibernated-fork", ends: .exited(0), writes: ["child resumed", "parent resumed"], seconds: 30)
    }

    @Test func withoutGuardPagesEachStackHasAGuardAndTheErrorNamesTheSetting() throws {
        let allowed = try #require(SystemFiles().number("/proc/sys/vm/max_map_count"))
        try expectChild(
            "no-guard-install", ends: .exited(0),
            writes: [
                "fault: overflow", "fault-move: overflow", "demand: overflow", "needs MADV_GUARD_INSTALL",
                "vm.max_map_count \(allowed) allows about \(allowed / 2)",
                "raise vm.max_map_count to \(2 * allowed + 1000), or run Linux 6.13", "done",
            ], seconds: 120)
    }

    @Test func whatExceedsTheLimitRefusesNothingElse() throws {
        try expectChild("limit", ends: .exited(0), writes: ["done"], seconds: 60)
    }

    @Test(arguments: ["copy", "mremap"]) func aMoveThatFindsNoMappingEndsItsCoroutineAlone(_ mover: String) throws {
        try expectChild("out-of-mappings \(mover)", ends: .exited(0), writes: ["done"], seconds: 60)
    }

    @Test func aSweepOverTheBudgetTakesTheLongestIdleFirst() throws {
        try expectChild("idle-budget", ends: .exited(0), writes: ["done"], seconds: 60)
    }

    @Test(arguments: [
        fl_site.FL_SITE_HIBERNATE_PROTECT, .FL_SITE_HIBERNATE_CLOSE, .FL_SITE_HIBERNATE_GUARD, .FL_SITE_STORE_MAP,
        .FL_SITE_HIBERNATE_MASK,
    ])
    func aSweepThatTheKernelRefusesLeavesEverythingAsItWas(_ site: fl_site) throws {
        try expectChild("idle-refused \(site.rawValue)", ends: .exited(0), writes: ["done"], seconds: 30)
    }

    @Test func aSweepThatMayNotShrinkTriesAgain() throws {
        try expectChild("idle-shrink-refused", ends: .exited(0), writes: ["done"], seconds: 30)
    }

    @Test(arguments: ["intact", "busy", "refused", "cancelled"]) func jobsHibernateAndGoOn(_ how: String) throws {
        try expectChild("idle-jobs \(how)", ends: .exited(0), writes: ["done"], seconds: 60)
    }

    @Test(arguments: [
        (fl_site.FL_SITE_GUARD_REMOVE, StackGuard.guardPages, true), (.FL_SITE_PROTECT_WRITE, .protNone, true),
        (.FL_SITE_STACK_MEMORY, .guardPages, true), (.FL_SITE_STACK_MEMORY, .protNone, true),
        (.FL_SITE_UFFDIO_MOVE, .guardPages, false), (.FL_SITE_RELEASE, .guardPages, false),
    ])
    func aMoveBackThatIsRefusedLeavesTheStackWhereItWas(_ site: fl_site, _ kind: StackGuard, _ throwing: Bool) throws {
        try expectChild(
            "shrink-refused \(site.rawValue) \(kind.rawValue) \(throwing)", ends: .exited(0), writes: ["done"],
            seconds: 30)
    }

    @Test func whatWasStoredUnderARefusedGuardStays() throws {
        try expectChild("shrink-unlifted", ends: .exited(0), writes: ["done"], seconds: 30)
    }

    @Test func coroutinesThatEndWithTheirThreadHaveItsSignalStack() throws {
        try expectChild("end-with-thread", ends: .exited(0), writes: ["done"], seconds: 30)
    }

    @Test func aRangeThatCannotBeGuardedAgainEndsTheProcessWithAMessage() throws {
        try expectChild(
            "shrink-unguarded", ends: .signalled(SIGSEGV), writes: ["could not be guarded again (old-range-guard)"],
            never: ["survived"], seconds: 30)
    }

    private func check(_ site: SiteCase, _ error: Int32, _ when: String, _ outcome: Outcome, isolated: Bool) throws {
        let arguments = "inject \(site.site.rawValue) \(error) 0 \(when) \(isolated ? "isolated" : "plain")"
        let name = site.testDescription
        let result: ChildResult
        switch outcome {
        case .throwing(let text):
            result = try expectChild(arguments, ends: .exited(0), seconds: 30)
            #expect(result.output.contains(/armed: error: [^\n]*/.ignoresCase()), "\(result.output)")
            #expect(
                result.output.split(separator: "\n").contains { $0.hasPrefix("armed: error: ") && $0.contains(text) },
                "\(result.output)")
        case .fallback:
            result = try expectChild(
                arguments, ends: .exited(0), writes: ["armed: returned"], never: ["error", "fault:"], seconds: 30)
        case .fault where isolated:
            result = try expectChild(arguments, ends: .exited(0), writes: ["armed: fault: stack overflow"], seconds: 30)
            if site.site != .FL_SITE_QUARANTINE {
                #expect(result.output.contains("(\(name) failed with errno \(error): "), "\(result.output)")
            }
        case .fault:
            let message = site.site == .FL_SITE_QUARANTINE ? "overflowed" : "\(name) failed with errno \(error)"
            try expectChild(
                arguments, ends: .signalled(SIGSEGV), writes: ["faultline: a coroutine's stack", message], seconds: 30)
            return
        case .death(let message):
            try expectChild(arguments, ends: .signalled(SIGSEGV), writes: ["faultline: ", message], seconds: 30)
            return
        }
        #expect(try #require(result.number("calls")) > 0, "the site was not reached: \(result.output)")
        // Where the probe at the start was refused, guard pages stay unused; everything else works again.
        if !(when == "first"
            && [
                .FL_SITE_ARENA_MAP, .FL_SITE_GUARD_INSTALL, .FL_SITE_GUARD_REMOVE, .FL_SITE_HIBERNATE_GUARD,
                .FL_SITE_RESTORE_COPY,
            ].contains(site.site))
        {
            #expect(!result.output.contains("disarmed: error"), "\(result.output)")
        }
    }
}
