import CProbes
import Testing

@testable import Experiments

@Suite("Growth traces") struct GrowthTraceTests {
    private func event(_ kind: fl_trace_kind, _ number: UInt64 = 0, code: Int32 = 0, faults: UInt64 = 0)
        -> fl_trace_event
    {
        fl_trace_event(kind: kind, code: code, number: number, minor_faults: faults)
    }

    @Test func occasionsAreToldApart() throws {
        let trace = try GrowthTrace([
            event(.FL_TRACE_SIGNAL, 11, code: 1), event(.FL_TRACE_CALL, 28), event(.FL_TRACE_RETURN, 28),
            event(.FL_TRACE_LEAVE, 15), event(.FL_TRACE_RETURN, 15), event(.FL_TRACE_END, faults: 1),
        ])
        #expect(trace.fault == 1 && trace.delivery == 1)
        #expect(trace.systemCalls == 2 && trace.calls == [28])
        #expect(trace.signalReturn == 2)
        #expect(trace.demandFaults == 2)
        #expect(trace.crossings == 6)
    }

    @Test func foreignSignalsSpoilATrace() {
        let end = event(.FL_TRACE_END)
        #expect(throws: MeasurementFailure.self) { try GrowthTrace([event(.FL_TRACE_SIGNAL, 14), end]) }
        // kill(2) and raise(3) have codes of 0 and below.
        #expect(throws: MeasurementFailure.self) { try GrowthTrace([event(.FL_TRACE_SIGNAL, 11, code: -6), end]) }
    }

    @Test func aTraceWithoutEndIsNone() {
        #expect(throws: MeasurementFailure.self) { try GrowthTrace([]) }
        #expect(throws: MeasurementFailure.self) { try GrowthTrace([event(.FL_TRACE_CALL, 28)]) }
    }
}

/// The growths themselves, without a look at their times.
