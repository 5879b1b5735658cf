metadata description = 'Second stage: registers the app as event handler of the hubs. The service asks the handler with OPTIONS before it accepts it, so the app must answer already.'

@description('Name of the Web PubSub service.')
param webPubSubName string

@description('Host name of the function app, without scheme.')
param appHostName string

@description('Application (client) id of the API app registration: the audience of the tokens that the service sends upstream.')
param upstreamAppId string

@description('Hub of browsers and apps, which come with a token from negotiate.')
param clientHub string = 'clients'

@description('Hub of telephone carriers, which can bring no token.')
param carrierHub string = 'carriers'

@description('Hub of telephone carriers that hear and speak themselves, and bring words; they can bring no token either.')
param relayHub string = 'relays'

@description('Hub of the media sockets of Vonage, which bring a token of ours.')
param vonageHub string = 'vonage'

// One handler for everything: {hub} and {event} are filled in by the service. It must include connect, since on the
// carriers' hubs nothing but the answer to connect lets a client in.
var handler = {
  urlTemplate: 'https://${appHostName}/api/realtime/events/{hub}/{event}'
  userEventPattern: '*'
  systemEvents: ['connect', 'connected', 'disconnected']
  auth: {
    type: 'ManagedIdentity'
    managedIdentity: { resource: upstreamAppId }
  }
}

resource service 'Microsoft.SignalRService/webPubSub@2024-03-01' existing = {
  name: webPubSubName
}

resource clients 'Microsoft.SignalRService/webPubSub/hubs@2024-03-01' = {
  parent: service
  name: clientHub
  properties: {
    anonymousConnectPolicy: 'deny'
    webSocketKeepAliveIntervalInSeconds: 20
    eventHandlers: [handler]
  }
}

resource carriers 'Microsoft.SignalRService/webPubSub/hubs@2024-03-01' = {
  parent: service
  name: carrierHub
  properties: {
    anonymousConnectPolicy: 'allow'
    webSocketKeepAliveIntervalInSeconds: 20
    eventHandlers: [handler]
  }
  dependsOn: [clients] // the service takes one change at a time
}

resource relays 'Microsoft.SignalRService/webPubSub/hubs@2024-03-01' = {
  parent: service
  name: relayHub
  properties: {
    anonymousConnectPolicy: 'allow'
    webSocketKeepAliveIntervalInSeconds: 20
    eventHandlers: [handler]
  }
  dependsOn: [carriers]
}

resource vonage 'Microsoft.SignalRService/webPubSub/hubs@2024-03-01' = {
  parent: service
  name: vonageHub
  properties: {
    anonymousConnectPolicy: 'deny'
    webSocketKeepAliveIntervalInSeconds: 20
    eventHandlers: [handler]
  }
  dependsOn: [relays]
}

output clientHub string = clients.name
output carrierHub string = carriers.name
output relayHub string = relays.name
output vonageHub string = vonage.name
