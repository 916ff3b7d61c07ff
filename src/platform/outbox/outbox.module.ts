import { Global, Module } from '@nestjs/common';
import { OutboxRelay } from './outbox-relay.js';
import { Outbox } from './outbox.service.js';

@Global()
@Module({ providers: [Outbox, OutboxRelay], exports: [Outbox] })
export class OutboxModule {}
