// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {AlreadyDone, InvalidLength, InvalidSignature, NotAscending, NotAuthorised} from "./Errors.sol";
import {NodeRegistry} from "./NodeRegistry.sol";
import {References} from "./References.sol";

/// @title Compute requests (paper §4, Alg. 4): request, approvals, admission, result
/// @notice A job opens only when the compute predicate of every one of its references has admitted it. Holders
/// ask `authorised` before they release anything. A cohort is counted in owners' accounts.
contract Jobs is EIP712 {
    enum State {
        None,
        Loading,
        Requested,
        Open,
        Done,
        Failed,
        Cancelled
    }

    struct Request {
        bytes32 functionId;
        bytes32 paramsDigest;
        bytes32 refsDigest;
        uint32 refsCount;
        uint8 committeeSize;
        uint8 threshold;
        uint8 protocol;
        uint48 deadline;
        uint8 keyPrefix;
        bytes32 keyX;
        bytes32 salt;
    }

    struct Job {
        address requester;
        State state;
        uint8 committeeSize;
        uint8 threshold;
        uint8 protocol;
        uint8 keyPrefix;
        uint8 failReason;
        uint48 deadline;
        uint32 refsCount;
        uint32 refsAdded;
        uint32 refsAdmitted;
        uint32 cohort;
        uint48 requestBlock;
        uint48 openBlock;
        bytes32 functionId;
        bytes32 paramsDigest;
        bytes32 refsDigest;
        bytes32 keyX;
        bytes32 resultDigest;
        bytes32 transcriptDigest;
    }

    /// @dev Where the loading of references stands; gone once all are there.
    struct Loading {
        bytes32 digest;
        bytes32 lastRef;
        address lastOwner;
    }

    struct JobRef {
        bool present;
        bool approved;
        bool declined;
        bool admitted;
        uint32 usesBefore;
        uint32 epoch;
    }

    struct Answer {
        bytes32 ref;
        bool approved;
        bytes signature;
    }

    /// @notice How a job is computed: honest majority, or SPDZ, without or with a transcript that anyone can audit.
    /// With SPDZ all but one member may be malicious, so the threshold is the committee's size less one.
    uint8 public constant HONEST_MAJORITY = 0;
    uint8 public constant SPDZ = 1;
    uint8 public constant SPDZ_AUDITED = 2;

    uint256 public constant MAX_PARAMS_BYTES = 4096;
    uint256 public constant MAX_REFS = 10_000;
    uint256 public constant MAX_DURATION = 30 days;
    uint8 private constant REASON_DEADLINE = 2;
    bytes32 private constant APPROVAL_TYPEHASH = keccak256("Approval(bytes32 jobId,bytes32 ref,bool approved)");
    bytes32 private constant RESULT_TYPEHASH =
        keccak256("Result(bytes32 jobId,uint32 attempt,bytes32 resultDigest,bytes32 transcriptDigest)");
    bytes32 private constant FAILURE_TYPEHASH = keccak256("Failure(bytes32 jobId,uint8 reason)");

    References private immutable _references;
    NodeRegistry private immutable _registry;
    mapping(bytes32 jobId => Job) private _jobs;
    mapping(bytes32 jobId => Loading) private _loading;
    mapping(bytes32 jobId => mapping(bytes32 ref => JobRef)) private _jobRefs;

    event JobRequested(
        bytes32 indexed jobId,
        address indexed requester,
        bytes32 indexed functionId,
        bytes params,
        uint32 refsCount,
        uint8 protocol
    );
    event JobRefsAdded(bytes32 indexed jobId, bytes32[] refs);
    event JobApproval(bytes32 indexed jobId, bytes32 indexed ref, address indexed owner, bool approved);
    event JobRefsAdmitted(bytes32 indexed jobId, bytes32[] refs);
    event JobOpened(bytes32 indexed jobId, uint32 cohort);
    event JobDone(
        bytes32 indexed jobId,
        uint32 attempt,
        bytes32 resultDigest,
        bytes32 transcriptDigest,
        address[] signers
    );
    event JobFailed(bytes32 indexed jobId, uint8 reason);
    event JobCancelled(bytes32 indexed jobId);

    error InvalidRequest();
    error WrongState(bytes32 jobId, State state);
    error DeadlinePassed(bytes32 jobId);
    error RefsDigestMismatch(bytes32 jobId);
    error NotInJob(bytes32 ref);
    error AlreadyAdmitted(bytes32 ref);
    error OwnerDeclined(bytes32 ref);
    error TooFewSignatures(uint256 required);
    error NotServing(address nodeId);

    constructor(References references, NodeRegistry registry) EIP712("Enigma Jobs", "1") {
        _references = references;
        _registry = registry;
    }

    /// @notice Asks for a computation. `refs` is the first page of its references, see `addRefs`.
    /// @param params Public parameters, or empty when they are too long: then only their digest is here.
    function request(
        Request calldata r,
        bytes calldata params,
        bytes32[] calldata refs
    ) external returns (bytes32 jobId) {
        jobId = jobIdOf(msg.sender, r);
        Job storage job = _jobs[jobId];
        if (job.state != State.None) revert AlreadyDone();
        if (
            r.refsCount == 0 ||
            r.refsCount > MAX_REFS ||
            r.threshold == 0 ||
            r.threshold >= r.committeeSize ||
            r.protocol > SPDZ_AUDITED ||
            (r.protocol != HONEST_MAJORITY && r.threshold != r.committeeSize - 1) ||
            (r.keyPrefix != 2 && r.keyPrefix != 3) ||
            r.deadline <= block.timestamp ||
            r.deadline > block.timestamp + MAX_DURATION ||
            params.length > MAX_PARAMS_BYTES ||
            (params.length != 0 && keccak256(params) != r.paramsDigest)
        ) revert InvalidRequest();
        job.requester = msg.sender;
        job.state = State.Loading;
        job.committeeSize = r.committeeSize;
        job.threshold = r.threshold;
        job.protocol = r.protocol;
        job.keyPrefix = r.keyPrefix;
        job.deadline = r.deadline;
        job.refsCount = r.refsCount;
        job.requestBlock = uint48(block.number);
        job.functionId = r.functionId;
        job.paramsDigest = r.paramsDigest;
        job.refsDigest = r.refsDigest;
        job.keyX = r.keyX;
        emit JobRequested(jobId, msg.sender, r.functionId, params, r.refsCount, r.protocol);
        _addRefs(jobId, job, refs);
    }

    /// @notice The next page. References come in strictly ascending order of (owner, reference), which counts
    /// owners and excludes duplicates without a look-up per owner.
    function addRefs(bytes32 jobId, bytes32[] calldata refs) external {
        Job storage job = _jobs[jobId];
        if (job.requester != msg.sender) revert NotAuthorised(msg.sender);
        if (refs.length != 0 && _jobRefs[jobId][refs[0]].present) revert AlreadyDone();
        if (job.state != State.Loading) revert WrongState(jobId, job.state);
        _addRefs(jobId, job, refs);
    }

    /// @notice The owner's yes or no to this job for its references. A no is final.
    function answer(bytes32 jobId, bytes32[] calldata refs, bool approved) external {
        if (refs.length == 0) revert InvalidLength();
        _requireAnswerable(jobId);
        address[] memory owners = _references.ownersOf(refs);
        uint256 changed = 0;
        for (uint256 i = 0; i < refs.length; ++i) {
            if (owners[i] != msg.sender) revert NotAuthorised(msg.sender);
            if (_answer(jobId, refs[i], owners[i], approved)) ++changed;
        }
        if (changed == 0) revert AlreadyDone();
    }

    /// @notice Owners' answers brought by anyone, each with the owner's EIP-712 signature.
    function relayAnswers(bytes32 jobId, Answer[] calldata answers) external {
        if (answers.length == 0) revert InvalidLength();
        _requireAnswerable(jobId);
        bytes32[] memory refs = new bytes32[](answers.length);
        for (uint256 i = 0; i < answers.length; ++i) refs[i] = answers[i].ref;
        address[] memory owners = _references.ownersOf(refs);
        uint256 changed = 0;
        for (uint256 i = 0; i < answers.length; ++i) {
            bytes32 digest = _hashTypedDataV4(
                keccak256(abi.encode(APPROVAL_TYPEHASH, jobId, refs[i], answers[i].approved))
            );
            (address signer, , ) = ECDSA.tryRecover(digest, answers[i].signature);
            if (signer == address(0) || signer != owners[i]) revert InvalidSignature(owners[i]);
            if (_answer(jobId, refs[i], signer, answers[i].approved)) ++changed;
        }
        if (changed == 0) revert AlreadyDone();
    }

    /// @notice Evaluates the compute predicate of each reference and counts the use, all of the page or none.
    /// The job opens with its last reference.
    function admit(bytes32 jobId, bytes32[] calldata refs) external {
        if (refs.length == 0) revert InvalidLength();
        Job storage job = _jobs[jobId];
        address requester = job.requester;
        if (requester != msg.sender) revert NotAuthorised(msg.sender);
        if (_jobRefs[jobId][refs[0]].admitted) revert AlreadyDone();
        if (job.state != State.Requested) revert WrongState(jobId, job.state);
        if (block.timestamp >= job.deadline) revert DeadlinePassed(jobId);
        bytes32 functionId = job.functionId;
        uint32 cohort = job.cohort;
        for (uint256 i = 0; i < refs.length; ++i) {
            JobRef storage entry = _jobRefs[jobId][refs[i]];
            JobRef memory e = entry;
            if (!e.present) revert NotInJob(refs[i]);
            if (e.admitted) revert AlreadyAdmitted(refs[i]);
            if (e.declined) revert OwnerDeclined(refs[i]);
            e.admitted = true;
            (e.usesBefore, e.epoch) = _references.admit(refs[i], requester, functionId, cohort, e.approved);
            _jobRefs[jobId][refs[i]] = e;
        }
        emit JobRefsAdmitted(jobId, refs);
        uint32 admitted = job.refsAdmitted + uint32(refs.length);
        job.refsAdmitted = admitted;
        if (admitted == job.refsCount) {
            job.state = State.Open;
            job.openBlock = uint48(block.number);
            emit JobOpened(jobId, cohort);
        }
    }

    /// @notice Records the digests of an open job's result, signed by more than `threshold` serving nodes.
    /// @param signers Node ids, strictly ascending. That they are the job's committee is checked by whoever
    /// repeats the draw from the opening block's hash.
    function postResult(
        bytes32 jobId,
        uint32 attempt,
        bytes32 resultDigest,
        bytes32 transcriptDigest,
        address[] calldata signers,
        bytes[] calldata signatures
    ) external {
        Job storage job = _jobs[jobId];
        if (
            job.state == State.Done &&
            job.resultDigest == resultDigest &&
            job.transcriptDigest == transcriptDigest
        ) revert AlreadyDone();
        if (job.state != State.Open) revert WrongState(jobId, job.state);
        _checkNodes(
            keccak256(abi.encode(RESULT_TYPEHASH, jobId, attempt, resultDigest, transcriptDigest)),
            job.threshold,
            signers,
            signatures
        );
        job.state = State.Done;
        job.resultDigest = resultDigest;
        job.transcriptDigest = transcriptDigest;
        emit JobDone(jobId, attempt, resultDigest, transcriptDigest, signers);
    }

    /// @notice Ends a job: its requester at any time, more than `threshold` serving nodes while it is open,
    /// anyone after the deadline.
    function fail(bytes32 jobId, uint8 reason, address[] calldata signers, bytes[] calldata signatures) external {
        Job storage job = _jobs[jobId];
        if (job.state == State.Failed) revert AlreadyDone();
        if (job.state != State.Open && job.state != State.Requested && job.state != State.Loading)
            revert WrongState(jobId, job.state);
        if (job.requester != msg.sender) {
            if (block.timestamp >= job.deadline) {
                reason = REASON_DEADLINE;
            } else {
                if (job.state != State.Open) revert WrongState(jobId, job.state);
                _checkNodes(
                    keccak256(abi.encode(FAILURE_TYPEHASH, jobId, reason)),
                    job.threshold,
                    signers,
                    signatures
                );
            }
        }
        job.state = State.Failed;
        job.failReason = reason;
        emit JobFailed(jobId, reason);
    }

    /// @notice The requester withdraws a job that is not open yet. Uses that were counted stay counted.
    function cancel(bytes32 jobId) external {
        Job storage job = _jobs[jobId];
        if (job.requester != msg.sender) revert NotAuthorised(msg.sender);
        if (job.state == State.Cancelled) revert AlreadyDone();
        if (job.state != State.Loading && job.state != State.Requested) revert WrongState(jobId, job.state);
        job.state = State.Cancelled;
        emit JobCancelled(jobId);
    }

    /// @notice May the shares behind each reference be released to this job's committee?
    /// @param notBefore The asker's own clock; the later of it and the block's time counts.
    function authorised(
        bytes32 jobId,
        bytes32[] calldata refs,
        uint64 notBefore
    ) external view returns (bool[] memory yes) {
        yes = new bool[](refs.length);
        Job storage job = _jobs[jobId];
        uint64 time = notBefore > block.timestamp ? notBefore : uint64(block.timestamp);
        if (job.state != State.Open || time >= job.deadline) return yes;
        for (uint256 i = 0; i < refs.length; ++i) {
            JobRef storage e = _jobRefs[jobId][refs[i]];
            if (!e.admitted || e.declined) continue;
            yes[i] = _references.permits(
                refs[i],
                job.requester,
                job.functionId,
                job.cohort,
                e.approved,
                e.usesBefore,
                e.epoch,
                time
            );
        }
    }

    function jobOf(bytes32 jobId) external view returns (Job memory) {
        return _jobs[jobId];
    }

    function jobRefsOf(bytes32 jobId, bytes32[] calldata refs) external view returns (JobRef[] memory list) {
        list = new JobRef[](refs.length);
        for (uint256 i = 0; i < refs.length; ++i) list[i] = _jobRefs[jobId][refs[i]];
    }

    /// @notice A job's id commits to everything that was asked, and to this ledger.
    function jobIdOf(address requester, Request calldata r) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), requester, r));
    }

    function _addRefs(bytes32 jobId, Job storage job, bytes32[] calldata refs) private {
        if (refs.length == 0 || refs.length > job.refsCount - job.refsAdded) revert InvalidLength();
        address[] memory owners = _references.computableOwnersOf(refs);
        Loading memory loading = _loading[jobId];
        uint32 cohort = job.cohort;
        for (uint256 i = 0; i < refs.length; ++i) {
            if (owners[i] != loading.lastOwner) {
                if (owners[i] < loading.lastOwner) revert NotAscending();
                loading.lastOwner = owners[i];
                ++cohort;
            } else if (refs[i] <= loading.lastRef) {
                revert NotAscending();
            }
            loading.lastRef = refs[i];
            loading.digest = keccak256(abi.encode(loading.digest, refs[i]));
            _jobRefs[jobId][refs[i]].present = true;
        }
        job.cohort = cohort;
        job.refsAdded += uint32(refs.length);
        emit JobRefsAdded(jobId, refs);
        if (job.refsAdded == job.refsCount) {
            if (loading.digest != job.refsDigest) revert RefsDigestMismatch(jobId);
            job.state = State.Requested;
            delete _loading[jobId];
        } else {
            _loading[jobId] = loading;
        }
    }

    function _requireAnswerable(bytes32 jobId) private view {
        State state = _jobs[jobId].state;
        if (state != State.Loading && state != State.Requested && state != State.Open)
            revert WrongState(jobId, state);
    }

    function _answer(bytes32 jobId, bytes32 ref, address owner, bool approved) private returns (bool changed) {
        JobRef storage entry = _jobRefs[jobId][ref];
        if (!entry.present) revert NotInJob(ref);
        if (entry.declined) {
            if (approved) revert OwnerDeclined(ref);
            return false;
        }
        if (approved && entry.approved) return false;
        entry.approved = approved;
        entry.declined = !approved;
        emit JobApproval(jobId, ref, owner, approved);
        return true;
    }

    function _checkNodes(
        bytes32 structHash,
        uint256 threshold,
        address[] calldata signers,
        bytes[] calldata signatures
    ) private view {
        if (signers.length <= threshold) revert TooFewSignatures(threshold + 1);
        if (signatures.length != signers.length) revert InvalidLength();
        bytes32 digest = _hashTypedDataV4(structHash);
        address previous = address(0);
        for (uint256 i = 0; i < signers.length; ++i) {
            if (signers[i] <= previous) revert NotAscending();
            previous = signers[i];
            (address signer, , ) = ECDSA.tryRecover(digest, signatures[i]);
            if (signer != signers[i]) revert InvalidSignature(signers[i]);
            if (!_registry.isServing(signer)) revert NotServing(signer);
        }
    }
}
