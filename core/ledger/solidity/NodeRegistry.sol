// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {AlreadyDone, InvalidSignature, NotAuthorised} from "./Errors.sol";

/// @title Nodes and their deposits
/// @notice Binds a libp2p secp256k1 key, named by its Ethereum address, to the account that pays its deposit.
contract NodeRegistry is EIP712, ReentrancyGuard {
    enum State {
        None,
        Active,
        Unbonding
    }

    struct Node {
        address account;
        State state;
        uint8 keyPrefix;
        uint32 capacity;
        uint48 withdrawableAt;
        uint128 deposit;
        uint64 index;
        bytes32 keyX;
        string hint;
    }

    uint256 public constant MAX_HINT_BYTES = 512;
    bytes32 private constant BINDING_TYPEHASH = keccak256("NodeBinding(address account)");

    uint256 public immutable minimumDeposit;
    uint256 public immutable unbondingDelay;
    mapping(address nodeId => Node) private _nodes;
    address[] private _active;

    event NodeRegistered(
        address indexed nodeId,
        address indexed account,
        bytes publicKey,
        string hint,
        uint32 capacity
    );
    event NodeUpdated(address indexed nodeId, string hint, uint32 capacity);
    event NodeUnbonding(address indexed nodeId, uint256 withdrawableAt);
    event NodeWithdrawn(address indexed nodeId, address indexed account, uint256 amount);

    error DepositTooSmall(uint256 minimum);
    error NodeExists(address nodeId);
    error NodeNotActive(address nodeId);
    error NotWithdrawable(address nodeId);
    error HintTooLong();

    constructor(uint256 minimumDeposit_, uint256 unbondingDelay_) EIP712("Enigma Nodes", "1") {
        minimumDeposit = minimumDeposit_;
        unbondingDelay = unbondingDelay_;
    }

    /// @notice Registers the node with public key (x, y); the signature by that key names the paying account.
    function register(
        bytes32 x,
        bytes32 y,
        bytes calldata signature,
        string calldata hint,
        uint32 capacity
    ) external payable {
        // The signature recovers to this address only if (x, y) is the signer's point.
        address nodeId = address(uint160(uint256(keccak256(abi.encode(x, y)))));
        Node storage node = _nodes[nodeId];
        if (node.state != State.None) {
            if (node.state == State.Active && node.account == msg.sender) revert AlreadyDone();
            revert NodeExists(nodeId);
        }
        if (msg.value < minimumDeposit) revert DepositTooSmall(minimumDeposit);
        if (bytes(hint).length > MAX_HINT_BYTES) revert HintTooLong();
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(BINDING_TYPEHASH, msg.sender)));
        (address signer, , ) = ECDSA.tryRecover(digest, signature);
        if (signer != nodeId) revert InvalidSignature(nodeId);

        uint8 prefix = 2 + uint8(uint256(y) & 1);
        node.account = msg.sender;
        node.state = State.Active;
        node.keyPrefix = prefix;
        node.capacity = capacity;
        node.deposit = uint128(msg.value);
        node.index = uint64(_active.length);
        node.keyX = x;
        node.hint = hint;
        _active.push(nodeId);
        emit NodeRegistered(nodeId, msg.sender, abi.encodePacked(prefix, x), hint, capacity);
    }

    /// @notice New address hint and capacity; capacity 0 is a client, never chosen for others' data or jobs.
    function update(address nodeId, string calldata hint, uint32 capacity) external {
        Node storage node = _own(nodeId);
        if (node.state != State.Active) revert NodeNotActive(nodeId);
        if (bytes(hint).length > MAX_HINT_BYTES) revert HintTooLong();
        node.hint = hint;
        node.capacity = capacity;
        emit NodeUpdated(nodeId, hint, capacity);
    }

    /// @notice Leaves the list of active nodes; the deposit stays at stake for the unbonding delay.
    function unbond(address nodeId) external {
        Node storage node = _own(nodeId);
        if (node.state == State.Unbonding) revert AlreadyDone();
        address last = _active[_active.length - 1];
        _active[node.index] = last;
        _nodes[last].index = node.index;
        _active.pop();
        node.state = State.Unbonding;
        node.withdrawableAt = uint48(block.timestamp + unbondingDelay);
        emit NodeUnbonding(nodeId, node.withdrawableAt);
    }

    /// @notice Pays the deposit back to the account after the delay and forgets the node.
    function withdraw(address nodeId) external nonReentrant {
        Node storage node = _own(nodeId);
        if (node.state != State.Unbonding || block.timestamp < node.withdrawableAt) revert NotWithdrawable(nodeId);
        uint256 amount = node.deposit;
        delete _nodes[nodeId];
        emit NodeWithdrawn(nodeId, msg.sender, amount);
        Address.sendValue(payable(msg.sender), amount);
    }

    /// @notice A deposit stands behind this node id.
    function isRegistered(address nodeId) external view returns (bool) {
        return _nodes[nodeId].state != State.None;
    }

    /// @notice Active, and willing to store and compute for others.
    function isServing(address nodeId) external view returns (bool) {
        Node storage node = _nodes[nodeId];
        return node.state == State.Active && node.capacity != 0;
    }

    function nodeOf(address nodeId) external view returns (Node memory) {
        return _nodes[nodeId];
    }

    function activeCount() external view returns (uint256) {
        return _active.length;
    }

    /// @notice A page of the active nodes, in no particular order.
    function activeNodes(
        uint256 offset,
        uint256 limit
    ) external view returns (address[] memory ids, Node[] memory nodes) {
        uint256 end = _active.length;
        if (offset < end && limit < end - offset) end = offset + limit;
        uint256 count = offset < end ? end - offset : 0;
        ids = new address[](count);
        nodes = new Node[](count);
        for (uint256 i = 0; i < count; ++i) {
            ids[i] = _active[offset + i];
            nodes[i] = _nodes[ids[i]];
        }
    }

    function _own(address nodeId) private view returns (Node storage node) {
        node = _nodes[nodeId];
        if (node.account != msg.sender) revert NotAuthorised(msg.sender);
    }
}
